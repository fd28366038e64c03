/** The pure part of fit-check: no network, no clock of its own, no telemetry. */
export { composeVerdict } from './analyst.ts';
export {
  type CitationCheck,
  checkCitations,
  citedIds,
  MIN_FINDING_CITATIONS,
  MIN_PROFILE_CITATIONS,
} from './citations.ts';
export { type CompanyRow, type CorpusRows, checkCorpus, type JobRow, loadCorpus } from './corpus.ts';
export {
  type Finding,
  type FindingKind,
  QUERY_ID,
  queryFinding,
  type RequirementLevel,
  type SkillDemand,
  type WebResult,
  webFinding,
} from './finding.ts';
export { analyseGaps, type Gap, type GapAnalysis, type Severity, type Strength } from './gaps.ts';
export { type Matching, matchSkills, type Requirement, type SkillMatch } from './matching.ts';
export {
  loadProfile,
  type Profile,
  type ProfileEntry,
  type ProfileEntryKind,
  ProfileError,
  type ProfileOptions,
  parseProfile,
  SAMPLE_PROFILE,
} from './profile.ts';
export { composePrompt, MAX_PROMPT_CHARS, type Prompt } from './prompt.ts';
export { type Corpus, createCorpus } from './search.ts';
export { countSkills, findSkills, isKnownSkill, skillCategory, skillName, toSkillId } from './skills.ts';
export {
  type ConnectingState,
  type PhaseSummary,
  summariseConnecting,
  summariseGaps,
  summariseMatching,
  summariseResearch,
  summariseVerdict,
} from './summaries.ts';
export type { SkillCategory } from './taxonomy.ts';
export { type Chunk, countTokens, type StreamOptions, streamVerdict, toChunks } from './tokens.ts';
export { type FitLevel, levelOf, type Verdict, type VerdictInput } from './verdict.ts';
