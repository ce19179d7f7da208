// Server state. What the stream tells is put in at once; what it cannot tell is fetched again, at most
// every second while something happens, and never when nothing does.
import { infiniteQueryOptions, QueryClient, queryOptions, type InfiniteData } from '@tanstack/react-query';
import { base } from './base';
import { live } from '../live/live';
import { ApiError, get, path, query, request, send, setCsrfToken } from './client';
import type {
  Adapter, Artifact, Contract, DiffList, FileDiff, Gate, Health, Page, Persona, PersonaDetail, Pipeline, PipelineDetail,
  Plan, Queue, Readiness, Run, RunEvent, Submit, Submitted, Validated, WaitingGate,
} from './types';

export const queryClient = new QueryClient({
  defaultOptions: {
    // Without a network an action fails now, and is said to: it is not kept back and done at some later time.
    mutations: { networkMode: 'always' },
    queries: {
      networkMode: 'always',
      staleTime: 30_000,
      refetchOnWindowFocus: false,
      refetchOnReconnect: false,
      retry: (failures, error) => {
        const status = error instanceof ApiError ? error.status : 0;
        return failures < 3 && (status === 0 || status === 503 || status === 429);
      },
      retryDelay: (attempt) => Math.min(500 * 2 ** attempt, 5_000),
    },
  },
});

export interface RunFilter {
  status?: string[] | undefined;
  pipeline?: string | undefined;
  q?: string | undefined;
  since?: string | undefined;
}

type RunPage = Page<'runs', Run>;

export const runsQuery = (filter: RunFilter) => infiniteQueryOptions({
  queryKey: ['runs', filter],
  initialPageParam: '',
  queryFn: ({ pageParam, signal }) => get<RunPage>(
    `/api/runs${query({ ...filter, limit: 50, cursor: pageParam || undefined })}`, signal),
  getNextPageParam: (page) => page.next_cursor ?? undefined,
});

export const gatesQuery = queryOptions({
  queryKey: ['gates'],
  queryFn: ({ signal }) => get<Page<'gates', WaitingGate>>('/api/gates', signal),
});
export const queueQuery = queryOptions({
  queryKey: ['queue'],
  queryFn: ({ signal }) => get<Queue>('/api/queue', signal),
});
export const pipelinesQuery = queryOptions({
  queryKey: ['pipelines'],
  queryFn: ({ signal }) => get<Page<'pipelines', Pipeline>>('/api/pipelines', signal),
});
export const pipelineQuery = (name: string) => queryOptions({
  queryKey: ['pipeline', name],
  queryFn: ({ signal }) => get<PipelineDetail>(path`/api/pipelines/${name}`, signal),
});
export const personasQuery = queryOptions({
  queryKey: ['personas'],
  queryFn: ({ signal }) => get<Page<'personas', Persona>>('/api/personas', signal),
});
export const personaQuery = (name: string) => queryOptions({
  queryKey: ['persona', name],
  queryFn: ({ signal }) => get<PersonaDetail>(path`/api/personas/${name}`, signal),
});
export const contractsQuery = queryOptions({
  queryKey: ['contracts'],
  queryFn: ({ signal }) => get<Page<'contracts', Contract>>('/api/contracts', signal),
});
export const contractQuery = (name: string) => queryOptions({
  queryKey: ['contract', name],
  queryFn: ({ signal }) => get<{ contract: Contract; schema: string }>(path`/api/contracts/${name}`, signal),
});
export const adaptersQuery = queryOptions({
  queryKey: ['adapters'],
  queryFn: ({ signal }) => get<Page<'adapters', Adapter>>('/api/adapters', signal),
});
export const healthQuery = queryOptions({
  queryKey: ['health'],
  queryFn: ({ signal }) => get<Health>('/api/health', signal),
  staleTime: 60_000,
});
export const readinessQuery = queryOptions({
  queryKey: ['ready'],
  // 503 says which check failed: that is an answer, not an error.
  queryFn: async ({ signal }) => {
    const response = await fetch(`${base}/api/health/ready`, { signal });
    return (await response.json()) as Readiness;
  },
});

export interface Session {
  subject?: string;
  actor?: string;
  role?: string;
  method?: string;
  csrf_token?: string | null;
  expires_at?: string | null;
}
export const sessionQuery = queryOptions({
  queryKey: ['session'],
  queryFn: async ({ signal }) => {
    try {
      const session = await get<Session>('/api/session', signal);
      setCsrfToken(session.csrf_token ?? null);
      return session;
    } catch (error) {
      // Without access control there are no sessions.
      if (error instanceof ApiError && error.status === 404) return {} as Session;
      throw error;
    }
  },
  staleTime: 300_000,
});

/** A list that this server may not have: null then. */
export const optionalQuery = <T>(key: string, where: string) => queryOptions({
  queryKey: ['optional', key, where],
  queryFn: async ({ signal }) => {
    try {
      return await get<T>(where, signal);
    } catch (error) {
      if (error instanceof ApiError && (error.status === 404 || error.status === 403 || error.status === 405)) {
        return { unavailable: error.message } as unknown as T & { unavailable?: string };
      }
      throw error;
    }
  },
});

export const diffQuery = (runId: string) => queryOptions({
  queryKey: ['diff', runId],
  queryFn: ({ signal }) => get<DiffList>(path`/api/runs/${runId}/diff`, signal),
});
export const fileDiffQuery = (runId: string, file: string) => queryOptions({
  queryKey: ['diff', runId, file],
  queryFn: ({ signal }) => get<FileDiff>(
    `/api/runs/${encodeURIComponent(runId)}/diff/${file.split('/').map(encodeURIComponent).join('/')}`, signal),
});
export const artifactUrl = (runId: string, artifact: Pick<Artifact, 'step' | 'name'>) =>
  path`/api/runs/${runId}/artifacts/${artifact.step}/${artifact.name}`;
export const artifactQuery = (runId: string, artifact: Artifact) => queryOptions({
  queryKey: ['artifact', artifact.sha256],
  queryFn: async ({ signal }) => {
    // The first mebibyte is what a person reads; all of it is a click away.
    const response = await request(artifactUrl(runId, artifact), {
      signal, ...(artifact.size > 1 << 20 ? { headers: { Range: 'bytes=0-1048575' } } : {}),
    });
    return response.text();
  },
  staleTime: Infinity,
});

// --- actions ---

/** The same key for the same intent: a click that is sent twice happens once. */
const newKey = () => crypto.randomUUID?.() ?? `${Date.now()}-${Math.random().toString(36).slice(2)}`;

export const submitRun = (body: Submit) =>
  send<Submitted>('POST', '/api/runs', body, { 'Idempotency-Key': newKey() });
export const planRun = (body: Submit) => send<Plan>('POST', '/api/runs', { ...body, dry_run: true });
export const cancelRun = (runId: string, force: boolean, reason?: string) =>
  send<{ status: string }>('POST', path`/api/runs/${runId}/cancel`, { ...(force ? { force } : {}), ...(reason ? { reason } : {}) });
export const retryRun = (runId: string) => send<{ run_id: string }>('POST', path`/api/runs/${runId}/retry`, {});
export const resumeRun = (runId: string, fromStep?: string) =>
  send<{ run_id: string }>('POST', path`/api/runs/${runId}/resume`, fromStep ? { from_step: fromStep } : {});
export const decideGate = (gate: Gate, choice: string | undefined, text: string) => send<unknown>(
  'POST', path`/api/runs/${gate.run_id}/gate/${gate.step}`,
  { gate_id: gate.gate_id, ...(choice ? { choice } : {}), ...(text ? { text } : {}) }, { 'Idempotency-Key': newKey() });
export const patchQueue = (body: { max_concurrent?: number; draining?: boolean }) => send<Queue>('PATCH', '/api/queue', body);
export const validatePipeline = (yaml: string, name: string) =>
  send<Validated>('POST', '/api/pipelines/validate', { yaml, name });

// --- the stream's part ---

/** What an event says about a row of the list. Counts of steps are fetched, not guessed. */
export function foldRow(run: Run, event: RunEvent): Run {
  if (event.seq <= run.last_seq) return run;
  const next: Run = { ...run, last_seq: event.seq, updated_at: event.ts };
  switch (event.event) {
    case 'run_queued': return { ...next, status: 'queued', resuming: event.resuming === true, waiting_reason: null };
    case 'run_started':
    case 'run_resumed':
      return { ...next, status: 'running', started_at: run.started_at ?? event.ts, queue_position: null, waiting_reason: null, resuming: false };
    case 'run_waiting': return { ...next, status: 'waiting', waiting_reason: String(event.reason ?? '') || null };
    case 'run_wait_ended': return { ...next, waiting_reason: run.waiting_reason === event.reason ? null : run.waiting_reason };
    case 'run_completed':
      return { ...next, status: event.status === 'empty' ? 'completed_empty' : 'completed', finished_at: event.ts, waiting_reason: null };
    case 'run_failed':
      return {
        ...next, status: 'failed', finished_at: event.ts, failed_step: event.step ?? run.failed_step, waiting_reason: null,
        error: { code: String(event.code ?? ''), message: String(event.message ?? '') },
      };
    case 'run_rejected': return { ...next, status: 'rejected', finished_at: event.ts, waiting_reason: null };
    case 'run_cancelled': return { ...next, status: 'cancelled', finished_at: event.ts, waiting_reason: null };
    default: return next;
  }
}

const bringsCounts = (kind: string) => kind.startsWith('run_') || /^step_(completed|failed|rejected|cancelled|skipped)$/.test(kind) ||
  kind === 'steps_reset' || kind === 'agent_exited';

function throttle(call: () => void, ms: number): () => void {
  let timer: ReturnType<typeof setTimeout> | null = null;
  let last = 0;
  return () => {
    if (timer) return;
    timer = setTimeout(() => {
      timer = null;
      last = Date.now();
      call();
    }, Math.max(60, ms - (Date.now() - last)));
  };
}

const refresh = (key: string) => throttle(() => void queryClient.invalidateQueries({ queryKey: [key] }), 1_000);
const refreshRuns = refresh('runs');
const refreshQueue = refresh('queue');
const refreshGates = refresh('gates');

function putIntoLists(events: RunEvent[]): void {
  const byRun = groupByRun(events);
  queryClient.setQueriesData<InfiniteData<RunPage>>({ queryKey: ['runs'] }, (data) => {
    if (!data) return data;
    let changed = false;
    const pages = data.pages.map((page) => ({
      ...page,
      runs: page.runs.map((run) => {
        const news = byRun.get(run.run_id);
        if (!news) return run;
        changed = true;
        return news.reduce(foldRow, run);
      }),
    }));
    return changed ? { ...data, pages } : data;
  });
}

function groupByRun(events: RunEvent[]): Map<string, RunEvent[]> {
  const map = new Map<string, RunEvent[]>();
  for (const event of events) map.set(event.run_id, [...(map.get(event.run_id) ?? []), event]);
  return map;
}

function putIntoGates(event: RunEvent): void {
  if (event.event !== 'gate_resolved') return refreshGates();
  queryClient.setQueryData<Page<'gates', WaitingGate>>(['gates'], (data) => data && {
    ...data, gates: data.gates.filter(({ gate }) => !(gate.run_id === event.run_id && gate.gate_id === event.gate_id)),
  });
  refreshGates();
}

export function connectQueries(): void {
  live.onRefresh(() => queryClient.invalidateQueries());
  live.onEvents((events) => {
    const telling = events.filter((event) => event.event !== 'stream_activity');
    if (telling.length === 0) return;
    putIntoLists(telling);
    for (const event of telling) {
      if (bringsCounts(event.event)) refreshRuns();
      if (event.event.startsWith('run_')) {
        refreshQueue();
        refreshGates();
      }
      if (event.event.startsWith('gate_')) putIntoGates(event);
    }
  });
}
