import type { Context } from '../../../context.ts';
import { Fault, isFault } from '../../../errors.ts';
import type { Org } from '../../../salesforce/org.ts';
import { Asking, type Exchange } from './asking.ts';
import { Made } from './made.ts';
import { NotAsked, type Question } from './question.ts';
import { questions } from './questions.ts';

export interface Answer extends Pick<Question, 'id' | 'question' | 'guide'> {
  /** Null: the org could not be asked, or did not say. */
  readonly answer: string | null;
  /** Why not. */
  readonly notAsked?: string;
  readonly exchanges: readonly Exchange[];
}

/** What is sent in: no record values of the org, no names, no Ids, no tokens. */
export interface ProbeReport {
  readonly v: 1;
  readonly kind: 'salvor-probe';
  readonly tool: string;
  readonly at: string;
  readonly org: { readonly type: string; readonly isSandbox: boolean; readonly apiVersion: string };
  readonly answers: readonly Answer[];
  /** Records that could not be removed; the three letters of their kind. */
  readonly left: number;
}

export interface Probed {
  readonly report: ProbeReport;
  /** What is still in the org, as `Contact 003…`, for the person who can remove it. */
  readonly left: readonly string[];
}

/** What kind of org this is. */
export interface OrgKind {
  readonly type: string;
  /** A sandbox, a scratch or trial org, or a Developer Edition: nobody's business depends on it. */
  readonly isHarmless: boolean;
}

export async function orgKind(org: Org): Promise<OrgKind> {
  const soql = encodeURIComponent('SELECT OrganizationType, IsSandbox, TrialExpirationDate FROM Organization');
  const { status, text } = await org.exchange({ method: 'GET', path: `/query?q=${soql}` });
  const [row] = status === 200 ? (JSON.parse(text) as { records: Record<string, unknown>[] }).records : [];
  const type = String(row?.OrganizationType ?? 'not known');
  const isHarmless = org.identity.isSandbox || type === 'Developer Edition' || Boolean(row?.TrialExpirationDate);
  return { type, isHarmless };
}

/**
 * Puts every open question to the org, with records of its own that carry a mark, and removes all of it again by `cleaner`, which outlives a
 * run that is stopped. Throws why it was stopped, after the removal, with what stayed.
 */
export async function probeOrg(ctx: Context, org: Org, kind: OrgKind, cleaner: Org, tool: string): Promise<Probed> {
  const made = new Made();
  const answers: Answer[] = [];
  let stopped: unknown;
  try {
    for (const question of questions) {
      ctx.signal.throwIfAborted();
      ctx.report({ type: 'stage', stage: question.question });
      answers.push(await answered(ctx, new Asking(ctx, org, made), question));
    }
  } catch (error) {
    stopped = error;
  }
  ctx.report({ type: 'stage', stage: 'removing what the probe has made' });
  const left = await made.remove(cleaner);
  if (stopped !== undefined) throw withLeft(stopped, left);
  const { isSandbox, apiVersion } = org.identity;
  const report: ProbeReport = {
    v: 1,
    kind: 'salvor-probe',
    tool,
    at: ctx.now().toISOString(),
    org: { type: kind.type, isSandbox, apiVersion },
    answers,
    left: left.length,
  };
  return { report, left };
}

async function answered(ctx: Context, asking: Asking, { id, question, guide, ask }: Question): Promise<Answer> {
  const of = (answer: string | null, notAsked?: string): Answer => ({
    id,
    question,
    guide,
    answer,
    ...(notAsked !== undefined && { notAsked }),
    exchanges: asking.exchanges,
  });
  try {
    return of(await ask(asking));
  } catch (error) {
    ctx.signal.throwIfAborted();
    if (error instanceof NotAsked) return of(null, error.message);
    if (error instanceof SyntaxError) return of(null, 'an answer of the org could not be read');
    if (isFault(error, 'answer-lost', 'org-unavailable', 'object-refused')) return of(null, error.message);
    throw error;
  }
}

/** The same fault; what stayed in the org is said with it. */
function withLeft(error: unknown, left: readonly string[]): unknown {
  if (left.length === 0 || !isFault(error)) return error;
  return new Fault(
    error.name,
    `${error.message}; these records of the probe are still in the org: ${left.join(', ')}`,
    {
      actions: ['delete them, they carry "salvor probe" in their names', ...error.actions],
      data: { ...error.data, left },
      cause: error,
    },
  );
}
