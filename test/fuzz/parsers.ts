/** The parsers that are fuzzed, each a declaration in `parsers/`, with what it was found to choke on in `corpus/`. */
export const parsers: readonly string[] = ['csv', 'records', 'manifest', 'age', 'soql', 'responses', 'settings'];
