/** Clocks of hosts, of the store and of the org are taken to differ by so much, in milliseconds: beyond it what is old, and what came before what, cannot be told. */
export const mostDrift = 5 * 60_000;
