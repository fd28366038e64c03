/** What the server tells, by the library's own types: types alone, so that no code of it comes into the page. */
export type * from '../../../../packages/binnacle/src/console/wire.ts';
