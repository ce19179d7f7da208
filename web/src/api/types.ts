// What the API says. The names are those of the OpenAPI document (schema.d.ts is made from it).

export type RunStatus =
  | 'queued' | 'running' | 'waiting' | 'completed' | 'completed_empty' | 'failed' | 'rejected' | 'cancelled';
export type StepStatus =
  | 'pending' | 'ready' | 'running' | 'waiting' | 'retrying' | 'reworking' | 'interrupted' | 'completed'
  | 'completed_empty' | 'skipped' | 'failed' | 'rejected' | 'cancelled';

export interface Usage {
  tokens_in: number;
  tokens_out: number;
  tokens_cache_read: number;
  tokens_cache_write: number;
  cost_usd: number;
}

export interface Failure {
  code: string;
  message: string;
}

export interface Run {
  run_id: string;
  pipeline: string;
  status: RunStatus;
  resuming: boolean;
  waiting_reason: string | null;
  queue_position: number | null;
  actor: string | null;
  input: string | null;
  tags: Record<string, string>;
  origin_run_id: string | null;
  parent_run_id?: string | null;
  failed_step: string | null;
  error: Failure | null;
  last_seq: number;
  queued_at: string | null;
  started_at: string | null;
  finished_at: string | null;
  updated_at: string;
  duration_ms: number | null;
  steps_total: number;
  steps_done: number;
  usage: Usage;
}

export interface Attempt {
  visit: number;
  attempt: number;
  reason: string | null;
  status: string;
  adapter: string | null;
  model: string | null;
  started_at: string | null;
  finished_at: string | null;
  duration_ms: number | null;
  usage: Usage;
  exit_code: number | null;
  failure_class: string | null;
  error: Failure | null;
  out_bytes: number | null;
  err_bytes: number | null;
}

export interface Step {
  index: number;
  step: string;
  kind: string | null;
  status: StepStatus;
  persona: string | null;
  adapter: string | null;
  model: string | null;
  visit: number;
  attempt: number;
  interruptions: number;
  started_at: string | null;
  finished_at: string | null;
  duration_ms: number | null;
  workspace: string | null;
  reason: string | null;
  error: Failure | null;
  usage: Usage;
  attempts: Attempt[];
}

export interface GateChoice {
  key: string;
  label: string;
  target: string | null;
}

export interface Gate {
  run_id: string;
  gate_id: string;
  step: string;
  type: string;
  prompt: string;
  choices: GateChoice[];
  freeform: boolean;
  default_choice: string | null;
  opened_at: string | null;
  deadline: string | null;
  resolved: boolean;
  outcome: string | null;
  choice: string | null;
  text: string | null;
  by: string | null;
  via: string | null;
  decided_at: string | null;
}

export interface WaitingGate {
  gate: Gate;
  pipeline: string;
  input: string | null;
}

export interface Artifact {
  step: string;
  name: string;
  type: string | null;
  path: string | null;
  sha256: string;
  size: number;
}

export interface GraphNode {
  step: string;
  kind: string;
  persona: string | null;
  level: number;
  rework_only: boolean;
  optional: boolean;
}

export interface GraphEdge {
  from: string;
  to: string;
  kind: 'dependency' | 'rework' | 'gate';
  label: string | null;
}

export interface Graph {
  nodes: GraphNode[];
  edges: GraphEdge[];
}

export interface RunDetail {
  seq: number;
  run: Run;
  steps: Step[];
  gates: Gate[];
  artifacts: Artifact[];
  children: Run[];
  cost: { usage: Usage; budget_usd: number | null; by_model: { model: string; usage: Usage }[] };
  graph: Graph;
  links: Record<string, string | null>;
}

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

export interface Submit {
  pipeline: string;
  input?: string;
  model?: string;
  adapter?: string;
  steps?: string[];
  exclude?: string[];
  dry_run?: boolean;
  timeout_ms?: number;
  tags?: Record<string, string>;
}

export interface Submitted {
  run_id: string;
  status: RunStatus;
  queue_position: number | null;
}

export interface PlannedStep {
  step: string;
  kind: string;
  persona: string;
  adapter: string;
  model: string;
  workspace: string;
  dependencies: string[];
  contracts: string[];
  left_out?: string;
}

export interface Plan {
  pipeline: string;
  waves: PlannedStep[][];
  on_demand: PlannedStep[];
}

export interface QueueEntry {
  run_id: string;
  pipeline: string;
  actor: string | null;
  status: RunStatus;
  resuming: boolean;
  position: number | null;
  why: string;
  since: string | null;
}

export interface Queue {
  max_concurrent: number;
  draining: boolean;
  running: QueueEntry[];
  waiting: QueueEntry[];
  parked: QueueEntry[];
  elsewhere: QueueEntry[];
}

export interface Diagnostic {
  severity: 'error' | 'unsupported' | 'warning';
  code: string;
  file: string;
  line: number;
  column: number;
  key: string | null;
  message: string;
  hint: string | null;
}

export interface Pipeline {
  name: string;
  path: string;
  description: string | null;
  category: string | null;
  disabled: boolean;
  valid: boolean;
  runnable: boolean;
  input_example: string | null;
  step_count: number;
  steps: string[];
  diagnostics: Diagnostic[];
}

export interface PipelineDetail {
  pipeline: Pipeline;
  source: string;
  sha256: string;
  graph: Graph;
}

export interface Validated {
  valid: boolean;
  runnable: boolean;
  name: string | null;
  graph: Graph | null;
  diagnostics: Diagnostic[];
}

export interface Persona {
  name: string;
  description: string | null;
  adapter: string | null;
  model: string | null;
  temperature: number | null;
  allowed_tools: string[];
  denied_tools: string[];
  skills: string[];
  used_by: string[];
}

export interface PersonaDetail {
  persona: Persona;
  prompt_file: string | null;
  prompt: string | null;
}

export interface Contract {
  name: string;
  path: string;
  title: string | null;
  description: string | null;
  valid: boolean;
}

export interface Adapter {
  name: string;
  description: string;
  binary: string | null;
  available: boolean;
  configured: boolean;
  enforces_permissions: boolean;
}

export interface FileChange {
  path: string;
  status: string;
  old_path: string | null;
  additions: number;
  deletions: number;
  binary: boolean;
}

export interface DiffList {
  files: FileChange[];
  available: boolean;
  message: string | null;
  base: string | null;
  head: string | null;
  branch: string | null;
  total_files: number;
  total_additions: number;
  total_deletions: number;
}

export interface FileDiff extends FileChange {
  content: string;
  truncated: boolean;
  size: number;
}

export interface Health {
  status: string;
  version?: string;
  uptime_ms?: number;
  started_at?: string;
  demo?: boolean;
  auth?: string;
  actor?: string;
  role?: string;
}

export interface Readiness {
  status: 'ready' | 'not_ready';
  checks?: { name: string; status: 'ok' | 'failed'; message: string | null; hint: string | null }[];
}

export interface Problem {
  title: string;
  status: number;
  detail?: string;
  code?: string;
  hint?: string;
  errors?: { pointer: string; message: string }[];
  diagnostics?: Diagnostic[];
  standing?: { choice: string | null; label: string | null; by: string; text: string | null };
  request_id?: string;
}

export const terminal: ReadonlySet<string> = new Set([
  'completed', 'completed_empty', 'failed', 'rejected', 'cancelled',
]);
export const stepTerminal: ReadonlySet<string> = new Set([...terminal, 'skipped']);

export const noUsage: Usage = {
  tokens_in: 0, tokens_out: 0, tokens_cache_read: 0, tokens_cache_write: 0, cost_usd: 0,
};
