// What the API says, under the names that this application uses. schema.d.ts is made from the OpenAPI
// document (`npm run types`); what the document leaves open stands here.
import type { components } from './schema';

type Schemas = components['schemas'];

export type RunStatus = Schemas['RunStatus'];
export type StepStatus = Schemas['StepStatus'];
export type Usage = Schemas['Usage'];
export type Failure = Schemas['Failure'];
export type Run = Schemas['Run'];
export type Step = Schemas['Step'];
export type GateChoice = Schemas['GateChoice'];
export type Gate = Schemas['Gate'];
export type WaitingGate = Schemas['WaitingGate'];
export type Artifact = Schemas['Artifact'];
export type GraphNode = Schemas['GraphNode'];
export type GraphEdge = Schemas['GraphEdge'];
export type Graph = Schemas['Graph'];
export type RunDetail = Schemas['RunDetail'];
export type Submit = Schemas['Submit'];
export type Submitted = Schemas['Submitted'];
export type PlannedStep = Schemas['PlannedStep'];
export type Plan = Schemas['Plan'];
export type QueueEntry = Schemas['QueueEntry'];
export type Queue = Schemas['Queue'];
export type Diagnostic = Schemas['Diagnostic'];
export type Pipeline = Schemas['Pipeline'];
export type PipelineInput = Schemas['PipelineInput'];
export type PipelineDetail = Schemas['PipelineDetail'];
export type Validated = Schemas['Validated'];
export type Persona = Schemas['Persona'];
export type PersonaDetail = Schemas['PersonaDetail'];
export type Contract = Schemas['Contract'];
export type Adapter = Schemas['Adapter'];
export type FileChange = Schemas['FileChange'];
export type DiffList = Schemas['DiffList'];
export type FileDiff = Schemas['Diff'];
export type Health = Schemas['Health'];
export type Readiness = Schemas['Readiness'];
/** Of ours, or of a proxy that knows less. */
export type Problem = Pick<Schemas['Problem'], 'title' | 'status'> & Partial<Schemas['Problem']>;

export type Page<Noun extends string, Item> = Record<Noun, Item[]> & {
  next_cursor: string | null;
  has_more: boolean;
};

/** One event of a run: the envelope, and beside it the fields of its kind (docs/events.md). */
export interface RunEvent {
  v: number;
  seq: number;
  run_id: string;
  ts: string;
  event: string;
  step?: string;
  persona?: string;
  attempt?: number;
  visit?: number;
  actor?: string;
  [field: string]: unknown;
}

export const terminal: ReadonlySet<string> = new Set([
  'completed', 'completed_empty', 'failed', 'rejected', 'cancelled',
]);
export const stepTerminal: ReadonlySet<string> = new Set([...terminal, 'skipped']);

export const noUsage: Usage = {
  tokens_in: 0, tokens_out: 0, tokens_cache_read: 0, tokens_cache_write: 0, cost_usd: 0,
};
