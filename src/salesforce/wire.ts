import type { Context } from '../context.ts';
import { Fault } from '../errors.ts';
import type { Http } from './http.ts';

/** What every way of reading is given. */
export interface Wire {
  readonly ctx: Context;
  readonly http: Http;
  /** Scheme and host. */
  readonly instanceUrl: string;
  /** `/services/data/v67.0` */
  readonly root: string;
}

/**
 * The server's clock, never later than now: the `Date` of an answer at most 30 s old, else of one made now. An earlier
 * time only widens the overlap with the next run.
 */
export async function serverNow(wire: Wire): Promise<Date> {
  const clock = wire.http.clock;
  return clock && clock.ageMs < 30_000 ? clock.date : serverTime(wire);
}

/** The server's clock from an answer made now. Lists the API versions, which does not count as a call (field guide, extract 2.1). */
export async function serverTime(wire: Wire): Promise<Date> {
  const answer = await wire.http.send({ what: 'the clock of the org', url: '/services/data/', cost: 0 });
  answer.body.destroy();
  const date = new Date(answer.header('date') ?? '');
  if (Number.isNaN(date.getTime())) {
    throw new Fault('org-unreachable', 'The answers of the org carry no date.', {
      actions: ['look for a proxy that removes the Date header'],
    });
  }
  return date;
}
