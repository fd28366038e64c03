/** Words that are in any query and tell nothing of what it asks for. */
const STOP_WORDS: ReadonlySet<string> = new Set(
  (
    'a an and are as at be by can do for from get has have how i if in into is it its me my no not of on or our out so ' +
    'that the their them they this to up us was we what when where which who will with you your am any about more ' +
    'all also other than well role job jobs work working team teams experience company companies strong good great ' +
    'skills knowledge ability years year new join looking help using use including across within candidate ' +
    'would could should might may like want wants need needs does did done been being were had but because while ' +
    'someone somebody anyone people person thing things hello hi hey thanks please whats there here these those ' +
    'make makes making tell tells just only very much many some such each every both between over under after before through during next'
  ).split(' '),
);

export function isStopWord(word: string): boolean {
  return STOP_WORDS.has(word);
}
