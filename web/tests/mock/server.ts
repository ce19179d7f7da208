// A server that plays recorded runs, for developing and looking at screens: REST and streams as `wave serve`
// answers them, over the built application, under the same Content-Security-Policy. Not a model of wave.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { existsSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fold, initialState, project, type RunState } from '../../src/run/fold';
import type { Graph, Run, RunDetail, RunEvent } from '../../src/api/types';
import { graphs } from '../graphs';

const here = fileURLToPath(new URL('.', import.meta.url));
const web = join(here, '../..');
const examples = join(web, '../examples/demo');

const releaseSchema = {
  type: 'object', description: 'What is to be published, and where to.', required: ['version', 'channel', 'target'], additionalProperties: false,
  properties: {
    version: { type: 'string', pattern: '^[0-9]+\\.[0-9]+(\\.[0-9]+)?$', description: 'Two or three numbers, as tags have them', examples: ['2.4'] },
    channel: { enum: ['stable', 'beta', 'nightly'], default: 'beta' },
    copies: { type: 'integer', minimum: 1, maximum: 9, default: 2, description: 'How many machines get it at once' },
    reviewers: { type: 'array', items: { type: 'string', minLength: 1 }, uniqueItems: true, maxItems: 4, description: 'Who hears of it', default: ['ada', 'grace'] },
    target: { type: 'object', title: 'Where to', required: ['host'], properties: { host: { type: 'string', minLength: 1, examples: ['deploy.example.org'] }, path: { type: 'string', default: '/srv/app' } } },
    draft: { type: 'boolean', title: 'Only a draft', description: 'Builds it and publishes nothing' },
    remarks: { type: 'string', maxLength: 2000 },
  },
};

class Played {
  readonly log: RunEvent[] = [];
  readonly state: RunState;
  rest: RunEvent[] = [];
  constructor(readonly id: string, readonly graph: Graph, pipeline: string) {
    this.state = initialState(id, pipeline, graph);
  }
  run(): Run {
    const { run } = project(this.state);
    return { ...run, duration_ms: run.started_at ? Date.parse(run.finished_at ?? new Date().toISOString()) - Date.parse(run.started_at) : null };
  }
}

export class MockServer {
  private readonly runs = new Map<string, Played>();
  private readonly streams = new Set<{ response: ServerResponse; run: string | null }>();
  private readonly history: RunEvent[] = [];
  private readonly server = createServer((request, response) => void this.answer(request, response));
  private readonly timers = new Set<ReturnType<typeof setTimeout>>();
  loggedIn = true;
  slow = 0;
  demo = false;

  constructor(private readonly dist = join(web, 'dist')) {}

  async listen(port = 0): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(port, '127.0.0.1', resolve));
    const address = this.server.address() as { port: number };
    return `http://127.0.0.1:${address.port}`;
  }
  async close(): Promise<void> {
    for (const timer of this.timers) clearTimeout(timer);
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
  openStreams(): number {
    return [...this.streams].filter((stream) => stream.run === null).length;
  }
  /** One more event of a long run, as if it were live. */
  say(id: string, content: string): void {
    const run = this.runs.get(id)!;
    this.emit(run, { v: 1, seq: run.state.run.last_seq + 1, run_id: id, ts: new Date().toISOString(), event: 'stream_activity', step: 'measure', visit: 1, attempt: 1, kind: 'text', content });
  }
  /** Ends every stream, as a restart does. */
  cut(): void {
    for (const stream of this.streams) stream.response.destroy();
  }

  /**
   * Puts a recording on stage: `ago` ms in the past, under a new id; events after `until` are kept back, or
   * played live at `speed`.
   */
  play(recording: string, options: { ago?: number; until?: (event: RunEvent) => boolean; speed?: number; input?: string; actor?: string; name?: string } = {}): string {
    const events = readFileSync(join(web, `tests/recordings/${recording}.jsonl`), 'utf8').trim().split('\n').map((line) => JSON.parse(line) as RunEvent);
    const pipeline = String(events[0]!.pipeline);
    const begin = Date.parse(events[0]!.ts);
    const shift = Date.now() - (options.ago ?? 0) - begin;
    const id = `${pipeline}-20260101-120000-${options.name ?? String(this.runs.size).padStart(10, '0')}`;
    const played = new Played(id, graphs[pipeline]!, pipeline);
    this.runs.set(id, played);
    const moved = events.map((event): RunEvent => {
      const text = JSON.stringify({ ...event, run_id: id, ts: new Date(Date.parse(event.ts) + shift).toISOString() }).replaceAll(events[0]!.run_id, id);
      const copy = JSON.parse(text) as RunEvent;
      if (copy.seq === 1) {
        copy.actor = options.actor ?? 'session:ada';
        if (options.input !== undefined) copy.options = { ...(copy.options as object), input: options.input };
      }
      return copy;
    });
    const stop = options.until ? moved.findIndex(options.until) : options.speed ? 0 : moved.length - 1;
    for (const event of moved.slice(0, stop + 1)) this.emit(played, event);
    played.rest = moved.slice(stop + 1);
    if (options.speed) this.goOn(played, options.speed);
    return id;
  }

  /** A run whose one step said a great deal. */
  playLong(count: number): string {
    const id = 'fragile-20260101-120000-long000000';
    const played = new Played(id, graphs.fragile!, 'fragile');
    this.runs.set(id, played);
    const ts = new Date(Date.now() - 60_000).toISOString();
    const event = (kind: string, more: object): RunEvent => ({ v: 1, seq: played.log.length + 1, run_id: id, ts, event: kind, ...more });
    this.emit(played, event('run_queued', { pipeline: 'fragile', options: { input: 'Say a great deal' } }));
    this.emit(played, event('run_started', {}));
    this.emit(played, event('step_started', { step: 'measure', visit: 1, attempt: 1, reason: 'first', kind: 'persona', adapter: 'scripted' }));
    while (played.log.length < count) {
      this.emit(played, event('stream_activity', { step: 'measure', visit: 1, attempt: 1, kind: 'text', content: `Thought number ${played.log.length}, which is as long as thoughts are.`, launch: 'measure.1.1' }));
    }
    return id;
  }

  /** Plays what is left of a run. */
  goOn(played: Played | string, speed = 1): void {
    const run = typeof played === 'string' ? this.runs.get(played)! : played;
    const rest = run.rest;
    run.rest = [];
    if (rest.length === 0) return;
    const from = Date.parse(rest[0]!.ts);
    for (const event of rest) {
      const timer = setTimeout(() => {
        this.timers.delete(timer);
        this.emit(run, { ...event, ts: new Date().toISOString() });
      }, (Date.parse(event.ts) - from) / speed);
      this.timers.add(timer);
    }
  }

  private emit(played: Played, event: RunEvent): void {
    played.log.push(event);
    fold(played.state, event);
    this.history.push(event);
    for (const { response, run } of this.streams) {
      if (run === null) response.write(this.frame(event, `1.${this.history.length}`));
      else if (run === played.id) {
        response.write(this.frame(event, String(event.seq)));
        if (/^run_(completed|failed|rejected|cancelled)$/.test(event.event)) response.end();
      }
    }
  }
  private frame(event: RunEvent, id: string): string {
    return `id: ${id}\nevent: ${event.event}\ndata: ${JSON.stringify(event)}\n\n`;
  }

  private json(response: ServerResponse, value: unknown, status = 200): void {
    response.writeHead(status, { 'Content-Type': status >= 400 ? 'application/problem+json' : 'application/json' });
    response.end(JSON.stringify(value));
  }
  private problem(response: ServerResponse, status: number, code: string, detail: string, more: object = {}): void {
    this.json(response, { type: 'about:blank', title: status === 404 ? 'Not Found' : 'Conflict', status, detail, code, retryable: false, request_id: 'mock', ...more }, status);
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const parts = url.pathname.split('/').filter(Boolean).map(decodeURIComponent);
    if (parts[0] !== 'api') return this.file(url.pathname, response);
    if (this.slow > 0) await new Promise((resolve) => setTimeout(resolve, this.slow));
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const sent = body ? (JSON.parse(body) as Record<string, unknown>) : {};
    if (parts[1] === 'login') {
      this.loggedIn = sent.token === 'good' || sent.code === 'good-code-0123456789';
      return this.loggedIn ? this.json(response, { subject: 'ada', role: 'admin', method: 'session', csrf_token: 'c' }) : this.problem(response, 401, 'bad_token', 'The token is not one of this server’s.', { title: 'Unauthorized', hint: 'Ask whoever runs it for another one.' });
    }
    if (parts[1] === 'health') return this.health(parts, response);
    if (!this.loggedIn) return this.problem(response, 401, 'unauthenticated', 'Nobody is signed in.', { title: 'Unauthorized' });
    if (parts[1] === 'runs') return this.runRoutes(request, response, url, parts, sent);
    if (parts[1] === 'events') return this.stream(request, response, null, url);
    if (parts[1] === 'gates') {
      const gates = [...this.runs.values()].flatMap((run) => project(run.state).gates.filter((gate) => !gate.resolved).map((gate) => ({ gate, pipeline: run.state.run.pipeline, input: run.state.run.input })));
      return this.json(response, { gates, next_cursor: null, has_more: false });
    }
    if (parts[1] === 'queue') return this.json(response, this.queue());
    if (parts[1] === 'session') return this.json(response, { subject: 'ada', actor: 'session:ada', role: 'admin', method: 'session', mode: 'jwt', csrf_token: 'c', expires_at: null });
    const fixed = this.catalogue(parts);
    return fixed === undefined ? this.problem(response, 404, 'not_found', `There is nothing at ${url.pathname}.`) : this.json(response, fixed);
  }

  private health(parts: string[], response: ServerResponse): void {
    if (parts[2] === 'ready') return this.json(response, { status: 'ready', checks: [{ name: 'store', status: 'ok', message: null, hint: null }, { name: 'disk', status: 'ok', message: '58 GiB free', hint: null }, { name: 'queue', status: 'ok', message: null, hint: null }] });
    this.json(response, { status: 'ok', version: '0.1.0', uptime_ms: 8_700_000, started_at: new Date(Date.now() - 8_700_000).toISOString(), auth: 'jwt', actor: 'session:ada', role: 'admin', ...(this.demo ? { demo: true } : {}) });
  }

  private queue(): object {
    const entries = [...this.runs.values()].map((run) => run.run());
    const entry = (run: Run, why: string) => ({ run_id: run.run_id, pipeline: run.pipeline, actor: run.actor, status: run.status, resuming: false, position: run.queue_position, why, since: run.started_at ?? run.queued_at });
    return {
      max_concurrent: 5, draining: false, running: entries.filter((run) => run.status === 'running').map((run) => entry(run, 'steps run')),
      waiting: entries.filter((run) => run.status === 'queued').map((run, i) => ({ ...entry(run, 'waits for a slot'), position: i + 1 })),
      parked: entries.filter((run) => run.status === 'waiting').map((run) => entry(run, run.waiting_reason === 'gate' ? 'waits for a person' : 'waits for its time')), elsewhere: [],
    };
  }

  private runRoutes(request: IncomingMessage, response: ServerResponse, url: URL, parts: string[], sent: Record<string, unknown>): void {
    if (parts.length === 2 && request.method === 'POST') {
      if (sent.dry_run) return this.json(response, this.plan());
      const id = this.play('demo', { speed: 1, input: String(sent.input ?? '') });
      return this.json(response, { run_id: id, pipeline: 'add-language', status: 'running', queue_position: null, replayed: false }, 201);
    }
    if (parts.length === 2) {
      const status = url.searchParams.getAll('status');
      const q = (url.searchParams.get('q') ?? '').toLowerCase();
      const pipeline = url.searchParams.get('pipeline');
      const runs = [...this.runs.values()].map((run) => run.run())
        .filter((run) => (status.length === 0 || status.includes(run.status)) && (!pipeline || run.pipeline === pipeline) && `${run.input} ${run.pipeline}`.toLowerCase().includes(q))
        .sort((a, b) => (b.queued_at ?? '').localeCompare(a.queued_at ?? ''));
      return this.json(response, { runs, next_cursor: null, has_more: false });
    }
    const run = this.runs.get(parts[2]!);
    if (!run) return this.problem(response, 404, 'not_found', `There is no run ${parts[2]}.`, { hint: 'It may have been pruned: runtime.retention says how long runs are kept.' });
    if (parts.length === 3) return this.json(response, this.detail(run));
    switch (parts[3]) {
      case 'events': return this.stream(request, response, run, url);
      case 'gate': return this.decide(response, run, sent);
      case 'cancel':
        this.emit(run, { v: 1, seq: run.state.run.last_seq + 1, run_id: run.id, ts: new Date().toISOString(), event: 'run_cancel_requested', by: 'session:ada', reason: String(sent.reason ?? '') });
        run.rest = [];
        this.emit(run, { v: 1, seq: run.state.run.last_seq + 1, run_id: run.id, ts: new Date().toISOString(), event: 'run_cancelled', status: 'cancelled', by: 'session:ada' });
        return this.json(response, { run_id: run.id, status: 'cancelling' }, 202);
      case 'artifacts': {
        const texts: Record<string, string> = {
          plan: '{"goal":"greet speaks German with --lang de","tasks":[{"title":"choose the words by language","file":"bin/greet"},{"title":"refuse unknown languages","file":"bin/greet"},{"title":"test both","file":"tests/cases"}]}',
          notes: '# Release 2.4\n\n`greet` is **twice as polite** and starts in half the time.\n\n- German and Danish greetings\n- unknown languages are refused with exit code 2\n\n> Upgrade at your leisure.\n',
        };
        response.writeHead(200, { 'Content-Type': 'text/plain' });
        return void response.end(texts[parts[5] ?? ''] ?? '# Release notes\n\n`greet --lang de` greets in German.\n');
      }
      case 'diff': return this.json(response, this.diff(parts.slice(4).join('/')));
      case 'steps': {
        const text = run.state.run.pipeline === 'fragile' && !run.id.endsWith('long000000') ? 'comparing with the last release\nwarming up\n\u001b[31merror:\u001b[0m p99 is 180 ms, at most 50 ms are allowed\n'
          : run.id.endsWith('long000000') ? Array.from({ length: 100_000 }, (_, i) => `${i + 1} the quick brown fox jumps over the lazy dog`).join('\n') + '\nerror: line 100001 is different\n'
          : Array.from({ length: 40 }, (_, i) => `\u001b[32m[${String(i + 1).padStart(2, '0')}]\u001b[0m uploaded part ${i + 1} of 40`).join('\n') + '\n\u001b[1mpublished\u001b[0m\n';
        response.writeHead(200, { 'Content-Type': 'text/plain' });
        const from = Number(url.searchParams.get('offset') ?? 0);
        return void response.end(text.slice(from, from + Number(url.searchParams.get('length') ?? 1 << 20)));
      }
      case 'retro': return this.json(response, { outcome: run.state.run.status, smoothness: 'bumpy', total_ms: 9_800, queued_ms: 10, working_ms: 7_600, waiting_ms: 2_100, usage: run.state.run.usage, retries: 1, reworks: 1, interruptions: 0, friction: [{ kind: 'retry', step: 'implement', attempt: 1, failure_class: 'test_failure', message: 'sh tests/run.sh: exit code 1', at: '' }, { kind: 'rework', step: 'implement', attempt: 2, failure_class: 'contract_failure', message: 'An unknown language is not tested.', at: '' }], failed_contracts: [], gates: [], files: ['bin/greet', 'tests/cases'], comparison: { earlier_runs: 6, duration_ms: { value: 9800, compared: 6, p50: 9900, p90: 12000 }, cost_usd: { value: 0.135, compared: 6, p50: 0.13, p90: 0.2 } } });
      default: return this.problem(response, 404, 'not_found', 'There is no such route.');
    }
  }

  private decide(response: ServerResponse, run: Played, sent: Record<string, unknown>): void {
    const gate = project(run.state).gates.find((one) => one.gate_id === sent.gate_id);
    if (!gate) return this.problem(response, 404, 'not_found', 'There is no such gate.');
    if (gate.resolved) return this.problem(response, 409, 'gate_decided', 'The gate is decided already.', { standing: { run_id: run.id, step: gate.step, step_id: gate.step, gate_id: gate.gate_id, choice: gate.choice, label: gate.choices.find((one) => one.key === gate.choice)?.label ?? null, text: gate.text, by: gate.by ?? '' } });
    const choice = gate.choices.find((one) => one.key === sent.choice);
    const head = { v: 1, run_id: run.id, step: gate.step, visit: 1, attempt: 1 };
    const now = () => ({ seq: run.state.run.last_seq + 1, ts: new Date().toISOString() });
    this.emit(run, { ...head, ...now(), event: 'gate_resolved', gate_id: gate.gate_id, outcome: 'decided', choice: choice?.key ?? '', label: choice?.label ?? '', text: String(sent.text ?? ''), by: 'session:ada', via: 'browser' });
    this.emit(run, { v: 1, run_id: run.id, ...now(), event: 'run_resumed', reason: 'ready' });
    if (choice?.target === '_fail') this.emit(run, { v: 1, run_id: run.id, step: gate.step, ...now(), event: 'run_failed', failure_class: 'gate', code: 'gate_rejected', message: 'the gate ended it', status: 'failure' });
    this.json(response, { run_id: run.id, step: gate.step, step_id: gate.step, gate_id: gate.gate_id, choice: choice?.key ?? null, label: choice?.label ?? null, text: null, by: 'session:ada' });
  }

  private stream(request: IncomingMessage, response: ServerResponse, run: Played | null, url: URL): void {
    const cursor = String(request.headers['last-event-id'] ?? url.searchParams.get('after') ?? '');
    const after = Number(cursor.split('.').at(-1));
    if (run && /completed|failed|rejected|cancelled/.test(run.state.run.status) && after >= run.state.run.last_seq) {
      response.writeHead(204);
      return void response.end();
    }
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store', 'Wave-Stream-End': run ? String(run.state.run.last_seq) : `1.${this.history.length}` });
    response.write('retry: 500\n\n: here\n\n');
    if (!run && cursor.startsWith('1.')) this.history.slice(after).forEach((event, i) => response.write(this.frame(event, `1.${after + i + 1}`)));
    if (run) {
      for (const event of run.log) if (!(event.seq <= after)) response.write(this.frame(event, String(event.seq)));
      if (/completed|failed|rejected|cancelled/.test(run.state.run.status)) return void response.end();
    }
    const stream = { response, run: run?.id ?? null };
    this.streams.add(stream);
    const beat = setInterval(() => response.write(': beat\n\n'), 10_000);
    response.on('close', () => {
      clearInterval(beat);
      this.streams.delete(stream);
    });
  }

  private detail(run: Played): RunDetail {
    const rows = project(run.state);
    return {
      seq: run.state.run.last_seq, run: run.run(), steps: rows.steps.map((step) => ({ ...step, kind: run.graph.nodes[step.index]!.kind })), gates: rows.gates, artifacts: rows.artifacts,
      children: [], cost: { usage: run.state.run.usage, budget_usd: 5, by_model: [] }, graph: run.graph,
      links: { self: '', events: '', logs: '', artifacts: '', diff: '', children: '', origin: null },
    };
  }

  private plan(): object {
    const step = (name: string, persona: string, more: object = {}) => ({ step: name, kind: persona ? 'persona' : 'command', persona, adapter: persona ? 'scripted' : '', model: '', workspace: 'worktree', dependencies: [], contracts: [], ...more });
    return { pipeline: 'add-language', waves: [[step('plan', 'planner', { contracts: ['json_schema'] })], [step('implement', 'developer', { contracts: ['test_suite', 'agent_review'] }), step('document', 'writer', { contracts: ['non_empty_file'] })], [step('pause', '', { kind: 'gate' })], [step('publish', '')]], on_demand: [step('repair', 'developer')] };
  }

  private diff(path: string): object {
    const file = { path: 'bin/greet', status: 'modified', old_path: null, additions: 11, deletions: 2, binary: false };
    const cases = { path: 'tests/cases', status: 'modified', old_path: null, additions: 3, deletions: 0, binary: false };
    if (!path) return { files: [file, cases], next_cursor: null, has_more: false, available: true, message: null, base: 'a', head: 'b', branch: 'wave/add-language', total_files: 2, total_additions: 14, total_deletions: 2 };
    const greet = "@@ -1,5 +1,14 @@\n #!/bin/sh\n-# greet [NAME]: says hello.\n+# greet [--lang en|de] [NAME]: says hello.\n set -eu\n-name=${1:-world}\n-echo \"Hello, $name!\"\n+lang=en\n+if [ \"${1:-}\" = --lang ]; then\n+  lang=$2\n+  shift 2\n+fi\n+case $lang in\n+  en) hello=Hello nobody=world ;;\n+  de) hello=Hallo nobody=Welt ;;\n+  *) echo \"greet: unknown language '$lang'\" >&2; exit 2 ;;\n+esac\n+echo \"$hello, ${1:-$nobody}!\"\n";
    return { ...(path === 'bin/greet' ? file : cases), content: path === 'bin/greet' ? greet : '@@ -1,2 +1,4 @@\n Hello, world!\t\n Hello, Ada!\tAda\n+Hallo, Ada!\t--lang de Ada\n+Hallo, Welt!\t--lang de\n', truncated: false, size: 400 };
  }

  private catalogue(parts: string[]): unknown {
    const page = (noun: string, list: unknown[]) => ({ [noun]: list, next_cursor: null, has_more: false });
    const source = (name: string) => {
      const inDemo = join(examples, `.agents/pipelines/${name}.yaml`);
      return readFileSync(existsSync(inDemo) ? inDemo : join(web, `tests/project/.agents/pipelines/${name}.yaml`), 'utf8');
    };
    const broken = [{ severity: 'error', code: 'invalid_pipeline', file: '.agents/pipelines/broken.yaml', line: 6, column: 14, key: 'steps[0].persona', message: 'there is no persona "nobody"', hint: 'define it in wave.yaml, or write .agents/personas/nobody.md' }];
    const pipelines = Object.entries({ 'add-language': 'Plan a new language, build it on a branch of its own, document it, review it, publish it', ship: 'Draft a release, let a person look at it, then publish it', fragile: 'Measures a change and fails, to show what a failure looks like', release: 'Publishes a version; asks for what it has to know', broken: null }).map(([name, description]) => ({
      name, path: `.agents/pipelines/${name}.yaml`, description, category: null, disabled: false, valid: name !== 'broken', runnable: name !== 'broken', input_example: name === 'ship' ? 'Release 2.4' : name === 'release' ? '{"version":"2.4","channel":"stable","target":{"host":"deploy.example.org"}}' : 'Teach greet to speak German',
      input: { source: 'cli', type: 'string', schema: name === 'release' ? releaseSchema : null, held: name === 'release', is_text: name !== 'release' },
      step_count: graphs[name]?.nodes.length ?? 1, steps: graphs[name]?.nodes.map((node) => node.step) ?? [], diagnostics: name === 'broken' ? broken : [],
    }));
    const personas = [['planner', 'turns a request into a plan', ['Read', 'Glob', 'Grep', 'Write'], []], ['developer', 'writes the code and the tests', ['Read', 'Glob', 'Grep', 'Write', 'Edit', 'Bash'], []], ['writer', 'writes for the people who use it', ['Read', 'Write', 'Edit', 'Bash'], ['Bash(git push*)']], ['reviewer', 'looks for what is wrong with a change', ['Read', 'Glob', 'Grep'], []]].map(([name, description, allowed, denied]) => ({ name, description, adapter: 'scripted', model: null, temperature: null, allowed_tools: allowed, denied_tools: denied, skills: [], used_by: ['add-language'] }));
    const contracts = [{ name: 'plan.schema', path: '.agents/contracts/plan.schema.json', title: 'A plan', description: 'Goal and tasks, each with the file it changes', valid: true }];
    switch (parts[1]) {
      case 'pipelines': {
        if (!parts[2]) return page('pipelines', pipelines);
        const pipeline = pipelines.find((one) => one.name === parts[2]);
        return pipeline && { pipeline, source: source(pipeline.name), sha256: '', graph: graphs[pipeline.name] ?? { nodes: [], edges: [] } };
      }
      case 'personas': return parts[2] ? { persona: personas.find((one) => one.name === parts[2]), prompt_file: `.agents/personas/${parts[2]}.md`, prompt: readFileSync(join(examples, `.agents/personas/${parts[2]}.md`), 'utf8') } : page('personas', personas);
      case 'contracts': return parts[2] ? { contract: contracts[0], schema: readFileSync(join(examples, '.agents/contracts/plan.schema.json'), 'utf8') } : page('contracts', contracts);
      case 'adapters': return page('adapters', [{ name: 'claude', description: 'Claude Code, in its headless mode', binary: 'claude', available: true, configured: false, enforces_permissions: true }, { name: 'scripted', description: 'plays a script; for tests and demonstrations', binary: null, available: true, configured: true, enforces_permissions: true }, { name: 'codex', description: 'OpenAI Codex', binary: 'codex', available: false, configured: false, enforces_permissions: false }]);
      case 'retros': {
        const runs = Array.from({ length: 12 }, (_, i) => ({ run_id: `add-language-20260101-120000-${String(i).padStart(10, 'r')}`, pipeline: 'add-language', outcome: i % 5 === 3 ? 'failed' : 'completed', smoothness: i % 3 ? 'bumpy' : 'smooth', failed_step: null, failure_class: null, trouble: i % 3 ? 'sh tests/run.sh: exit code 1' : null, queued_at: new Date(Date.now() - (i + 1) * 5_400_000).toISOString(), finished_at: null, total_ms: 9_000 + 900 * ((i * 7) % 5), working_ms: 8_000, waiting_ms: 1_000, cost_usd: 0.1 + 0.01 * ((i * 5) % 4), retries: 1, reworks: 0 }));
        const drift = { earlier: 1, later: 1.2, change: 0.2 };
        return { retros: runs, next_cursor: null, has_more: false, stats: [{ pipeline: 'add-language', runs: 12, completed: 10, failed: 2, rejected: 0, cancelled: 0, smoothness: {}, duration_p50_ms: 9_900, duration_p90_ms: 12_600, cost_usd: 1.38, cost_p50_usd: 0.115, cost_drift: { ...drift, change: 0 }, duration_drift: drift, steps: [{ step: 'implement', runs: 12, failed: 2, flaky: 8, retries: 12, reworks: 9, interruptions: 0, failed_contracts: 20, working_p50_ms: 5_100, working_p90_ms: 6_200, cost_usd: 0.9, failures: { test_failure: 12 } }] }] };
      }
      case 'audit': return page('entries', ['submitRun', 'decideGate', 'cancelRun', 'loggedIn', 'patchQueue'].map((action, i) => ({ id: 5 - i, at: new Date(Date.now() - i * 600_000).toISOString(), actor: i % 2 ? 'jwt:ci-bot' : 'session:ada', address: '10.0.0.7', action, target: i < 3 ? `/api/runs/${[...this.runs.keys()][i] ?? ''}` : '/api/login', outcome: i === 2 ? 'refused' : 'ok', status: i === 2 ? 409 : 200, detail: i === 2 ? 'conflict' : '', previous: '', hash: '' })));
      case 'webhooks': return parts[2] ? page('deliveries', [{ id: 1, delivery: 'd', received_at: new Date(Date.now() - 900_000).toISOString(), event: 'push', action: null, sender: 'ada', outcome: 'started', run_id: [...this.runs.keys()][0] ?? null, detail: null, repeats: 0 }]) : page('webhooks', [{ name: 'github', provider: 'github', enabled: true, path: '/api/hooks/github', pipeline: 'add-language', events: ['push'], problem: null, last_delivery: null }]);
      case 'sessions': return page('sessions', [{ id: 's1', subject: 'ada', role: 'admin', source: 'link', address: '10.0.0.7', user_agent: 'Firefox', created_at: new Date(Date.now() - 3_600_000).toISOString(), expires_at: new Date(Date.now() + 25_200_000).toISOString(), current: true }]);
      default: return undefined;
    }
  }

  private file(path: string, response: ServerResponse): void {
    const types: Record<string, string> = { '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.woff2': 'font/woff2', '.html': 'text/html' };
    let file = join(this.dist, path);
    if (!existsSync(file) || path.endsWith('/')) file = join(this.dist, 'index.html');
    response.writeHead(200, {
      'Content-Type': types[extname(file)] ?? 'application/octet-stream',
      'Content-Security-Policy': "default-src 'self'; base-uri 'none'; connect-src 'self'; font-src 'self'; form-action 'self'; frame-ancestors 'none'; img-src 'self' data:; object-src 'none'; script-src 'self'; style-src 'self'; worker-src 'self'",
    });
    response.end(readFileSync(file));
  }
}

/** A stage with something of everything. */
export function fill(server: MockServer): Record<string, string> {
  return {
    old: server.play('demo', { ago: 86_400_000, input: 'Teach greet to speak Danish', actor: 'jwt:ci-bot', name: 'danish0000' }),
    done: server.play('demo', { ago: 5_400_000, name: 'german0000' }),
    failed: server.play('fragile', { ago: 2_400_000, name: 'fragile000', actor: 'webhook:github' }),
    shipped: server.play('ship', { ago: 900_000, input: 'Release 2.3', name: 'shipped000' }),
    gate: server.play('ship', { ago: 240_000, until: (event) => event.event === 'run_waiting', name: 'waiting000' }),
    live: server.play('demo', { ago: 3_000, until: (event) => event.seq === 34, input: 'Teach greet to speak Frisian', name: 'frisian000' }),
  };
}
