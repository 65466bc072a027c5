import type { Row } from './database.ts';
import type { OrgState } from './state.ts';

/** The row of a user; empty where the org has no such user. */
export function userOf({ database }: OrgState, userId: string): Row {
  const source = database.tables.get('User')?.source;
  const number = source?.find(userId) ?? -1;
  return source && number >= 0 ? source.row(number) : {};
}

/** Also of the org's own user, whose row the org may lack. */
export function usernameOf(state: OrgState, userId: string): string {
  const { facts } = state.database;
  return userId === facts.userId ? facts.username : String(userOf(state, userId).Username);
}
