// Starting a run: what, on which input, how; what it would do; and the same call for a shell.
import './new_run.css';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { Suspense, useEffect, useRef, useState, type ReactNode, type SyntheticEvent } from 'react';
import { base } from '../api/base';
import { ApiError, get, path } from '../api/client';
import { firstInput, inputProblems, inputToSend, RunInput } from '../form/run_input';
import { parse, valueAt } from '../form/schema';
import { pipelineQuery, pipelinesQuery, planRun, submitRun } from '../api/queries';
import type { Plan, RunDetail, Submit } from '../api/types';
import { Icon } from '../ui/icons';
import { Bones, Empty, PageHead, Trouble } from '../ui/states';
import { useTitle } from '../ui/title';
import { toast } from '../ui/toasts';
import { lazily } from '../ui/lazily';

const GraphView = lazily(() => import('../run/graph'));
const quote = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;

function asCurl(body: Submit): string {
  return `curl -sS ${location.origin}${base}/api/runs \\\n  -H 'Content-Type: application/json' \\\n  -d ${quote(JSON.stringify(body))}`;
}
function asCommand(body: Submit): string {
  const words = ['wave run', body.pipeline];
  if (body.input) words.push(quote(body.input));
  if (body.model) words.push('--model', body.model);
  if (body.adapter) words.push('--adapter', body.adapter);
  if (body.steps?.length) words.push('--steps', body.steps.join(','));
  if (body.exclude?.length) words.push('--exclude', body.exclude.join(','));
  if (body.timeout_ms) words.push('--timeout', `${Math.max(1, Math.round(body.timeout_ms / 60_000))}`);
  return words.join(' ');
}

function tagsOf(text: string): Record<string, string> | undefined {
  const pairs = text.split(/[\n,]/).map((line) => line.trim()).filter(Boolean).map((line) => {
    const at = line.indexOf('=');
    return at < 0 ? [line, ''] : [line.slice(0, at).trim(), line.slice(at + 1).trim()];
  });
  return pairs.length > 0 ? (Object.fromEntries(pairs) as Record<string, string>) : undefined;
}

/** What the server said about members of the body, and what it said of none that has a place here. */
function findings(error: unknown, sent: Submit | null, now: Submit): { at: Map<string, string>; elsewhere: { pointer: string; message: string }[] } {
  const at = new Map<string, string>();
  const elsewhere: { pointer: string; message: string }[] = [];
  if (!(error instanceof ApiError)) return { at, elsewhere };
  for (const { pointer, message } of error.problem.errors ?? []) {
    const place = pointer ?? '';
    const known = /^\/(input|model|adapter|timeout_ms|tags|steps|exclude|pipeline)(\/|$)/.exec(place);
    if (!known) elsewhere.push({ pointer: place, message });
    // What was changed since is not complained about any more.
    else if (sent && same(memberAt(sent, place), memberAt(now, place))) at.set(place, message);
  }
  return { at, elsewhere };
}
const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
function memberAt(body: Submit, pointer: string): unknown {
  const [name, ...rest] = pointer.slice(1).split('/').map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
  const member = body[name as keyof Submit];
  if (name !== 'input' || rest.length === 0) return member;
  const read = parse(body.input ?? '');
  return 'error' in read ? member : valueAt(read.value, rest);
}

function Option({ id, label, wrong, children }: { id: string; label: ReactNode; wrong: string | undefined; children: ReactNode }) {
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children}
      {wrong && <p className="wrong" id={`${id}-wrong`}><Icon name="alert" size={13} />{wrong}</p>}
    </div>
  );
}
const about = (id: string, wrong: string | undefined) => (wrong ? { 'aria-invalid': true, 'aria-describedby': `${id}-wrong` } : {});

function PlanView({ plan }: { plan: Plan }) {
  return (
    <section className="card" aria-label="Plan">
      <header><h2>What it would do</h2><span className="small quiet">Nothing was started</span></header>
      <ol className="plan">
        {plan.waves.map((wave, i) => (
          <li key={i}>
            <span className="no">{i + 1}</span>
            <div className="stack tight grow">
              {wave.map((step) => (
                <div key={step.step} className={step.left_out ? 'quiet' : ''}>
                  <strong>{step.step}</strong> <span className="quiet small">{[step.persona || step.kind, step.adapter, step.model].filter(Boolean).join(' · ')}</span>
                  {step.contracts.map((contract, k) => <span key={k} className="chip" style={{ marginLeft: 6 }}>{contract}</span>)}
                  {step.left_out && <span className="small"> – left out: {step.left_out}</span>}
                </div>
              ))}
            </div>
          </li>
        ))}
      </ol>
      {plan.on_demand.length > 0 && <p className="small quiet" style={{ padding: '0 var(--s4) var(--s4)' }}>Only when something needs repair: {plan.on_demand.map((step) => step.step).join(', ')}</p>}
    </section>
  );
}

export default function NewRun() {
  const search = useSearch({ from: '/app/new' });
  const navigate = useNavigate({ from: '/new' });
  const pipelines = useQuery(pipelinesQuery);
  const [texts, setTexts] = useState<Readonly<Record<string, { text: string; byHand: boolean }>>>({});
  const [tried, setTried] = useState(false);
  const [sent, setSent] = useState<Submit | null>(null);
  const form = useRef<HTMLFormElement>(null);
  const options = useRef<HTMLDetailsElement>(null);
  const [model, setModel] = useState('');
  const [adapter, setAdapter] = useState('');
  const [left, setLeft] = useState<ReadonlySet<string>>(new Set());
  const [minutes, setMinutes] = useState('');
  const [tags, setTags] = useState('');
  const [copied, setCopied] = useState('');
  useTitle('New run');
  const runnable = pipelines.data?.pipelines.filter((one) => one.valid) ?? [];
  const name = search.pipeline ?? (runnable.length === 1 ? runnable[0]!.name : undefined);
  const chosen = pipelines.data?.pipelines.find((one) => one.name === name);
  const detail = useQuery({ ...pipelineQuery(name ?? ''), enabled: Boolean(name) });

  // What was written for a pipeline with a form stays with it; plain text goes along to the next one.
  const wanted = chosen?.input;
  const shelf = wanted?.held ? chosen!.name : '';
  const { text: input, byHand } = texts[shelf] ?? { text: firstInput(wanted), byHand: false };
  const setInput = (text: string, typed: boolean, on = shelf) => setTexts((before) => ({ ...before, [on]: { text, byHand: typed } }));

  // "Run again": the old run's words are the beginning of the new one's.
  const old = useQuery({ queryKey: ['run-again', search.from], queryFn: ({ signal }) => get<RunDetail>(path`/api/runs/${search.from ?? ''}`, signal), enabled: Boolean(search.from) });
  useEffect(() => {
    if (!old.data || !pipelines.data) return;
    const its = pipelines.data.pipelines.find((one) => one.name === old.data.run.pipeline);
    const read = its?.input.held && !its.input.is_text ? parse(old.data.run.input ?? '') : null;
    const again = read && 'value' in read && read.value !== undefined ? JSON.stringify(read.value, null, 2) : old.data.run.input ?? '';
    setInput(again, false, its?.input.held ? its.name : '');
    setTags(Object.entries(old.data.run.tags).map(([key, value]) => `${key}=${value}`).join('\n'));
  }, [old.data, pipelines.data]);

  const body: Submit = { pipeline: name ?? '' };
  const toSend = inputToSend(wanted, input, byHand);
  if (toSend) body.input = toSend;
  if (model) body.model = model;
  if (adapter) body.adapter = adapter;
  if (left.size > 0) body.exclude = [...left];
  if (Number(minutes) > 0) body.timeout_ms = Math.round(Number(minutes) * 60_000);
  const tagMap = tagsOf(tags);
  if (tagMap) body.tags = tagMap;

  const plan = useMutation({ mutationFn: () => planRun(body) });
  const start = useMutation({
    mutationFn: () => submitRun(body),
    onSuccess: (answer) => {
      toast('ok', answer.queue_position ? `Queued, place ${answer.queue_position}` : 'Started');
      void navigate({ to: '/runs/$runId', params: { runId: answer.run_id }, search: {} });
    },
  });
  const wrong = start.error ?? plan.error;
  const problem = wrong instanceof ApiError ? wrong.problem : null;
  const said = findings(wrong, sent, body);
  const refused = new Map([...said.at].filter(([pointer]) => /^\/input(\/|$)/.test(pointer)).map(([pointer, message]) => [pointer.slice('/input'.length), message]));
  const of = (member: string) => [...said.at].filter(([pointer]) => pointer === member || pointer.startsWith(`${member}/`)).map(([, message]) => message).join('; ') || undefined;
  const optionWrong = ['/model', '/adapter', '/timeout_ms', '/tags', '/steps', '/exclude'].some((member) => of(member));
  const fieldsWrong = tried ? inputProblems(wanted, input).size : 0;

  const act = (call: { mutate: () => void; reset: () => void }) => {
    setTried(true);
    start.reset();
    plan.reset();
    if (inputProblems(wanted, input).size > 0) return showFirst();
    setSent(body);
    call.mutate();
  };
  const showFirst = () => requestAnimationFrame(() => form.current?.querySelector<HTMLElement>('[aria-invalid=true]')?.focus());
  useEffect(() => {
    if (!problem) return;
    if (optionWrong && options.current) options.current.open = true;
    if (said.at.size > 0) showFirst();
    // Once for each answer, not for what is typed afterwards.
    // eslint-disable-next-line
  }, [problem]);
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    act(start);
  };
  const copy = (what: string, text: string) => void navigator.clipboard?.writeText(text).then(() => setCopied(what));

  if (pipelines.isPending) return <Bones rows={8} label="Loading pipelines" />;
  if (pipelines.isError) return <Trouble error={pipelines.error} retry={() => void pipelines.refetch()} />;
  if (pipelines.data.pipelines.length === 0) return <Empty icon="pipeline" title="This project has no pipeline yet"><p>Write one below <code>.agents/pipelines</code>, or let <code>wave init</code> make a first one.</p></Empty>;
  return (
    <>
      <PageHead title={search.from ? 'Run again' : 'New run'}>{search.from && <p>With the words of <Link to="/runs/$runId" params={{ runId: search.from }}>{search.from}</Link>. Change what should be different.</p>}</PageHead>
      <form className="new-run" onSubmit={submit} noValidate ref={form} onKeyDown={(event) => {
        if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && name) submit(event);
      }}>
        <div className="stack">
          <section className="card pad stack">
            <div className="field">
              <label htmlFor="pipeline">Pipeline</label>
              <select id="pipeline" className="select" style={{ width: '100%' }} required value={name ?? ''} onChange={(event) => {
                setLeft(new Set());
                setTried(false);
                start.reset();
                plan.reset();
                void navigate({ search: (before) => ({ ...before, pipeline: event.target.value || undefined }), replace: true });
              }}>
                <option value="" disabled>Choose one …</option>
                {pipelines.data.pipelines.map((one) => <option key={one.name} value={one.name} disabled={!one.valid || one.disabled}>{one.name}{one.valid ? '' : ' (does not load)'}{one.disabled ? ' (disabled)' : ''}</option>)}
              </select>
              {chosen?.description && <p className="hint">{chosen.description}</p>}
              {chosen && !chosen.runnable && <p className="wrong">This version cannot carry out all of it: see its <Link to="/pipelines/$name" params={{ name: chosen.name }}>diagnostics</Link>.</p>}
            </div>
            <RunInput key={shelf} input={wanted} example={chosen?.input_example} text={input} onText={setInput} refused={refused} tried={tried} />
            <details ref={options}>
              <summary className="label">Options</summary>
              <div className="stack" style={{ marginTop: 'var(--s4)' }}>
                <div className="options">
                  <Option id="model" label="Model" wrong={of('/model')}><input id="model" className="input" value={model} placeholder="As the personas say" {...about('model', of('/model'))} onChange={(event) => setModel(event.target.value)} /></Option>
                  <Option id="adapter" label="Adapter" wrong={of('/adapter')}><input id="adapter" className="input" value={adapter} placeholder="As the personas say" {...about('adapter', of('/adapter'))} onChange={(event) => setAdapter(event.target.value)} /></Option>
                  <Option id="minutes" label="Timeout of each step, minutes" wrong={of('/timeout_ms')}><input id="minutes" className="input" type="number" min="0" step="any" value={minutes} placeholder="As written" {...about('minutes', of('/timeout_ms'))} onChange={(event) => setMinutes(event.target.value)} /></Option>
                </div>
                <Option id="tags" label={<>Tags <span className="quiet">(key=value, one a line)</span></>} wrong={of('/tags')}><textarea id="tags" className="textarea" rows={2} style={{ minHeight: '3.2rem' }} value={tags} {...about('tags', of('/tags'))} onChange={(event) => setTags(event.target.value)} /></Option>
                {chosen && chosen.steps.length > 0 && (
                  <fieldset className="steps-choice">
                    <legend className="label">Steps</legend>
                    {chosen.steps.map((step) => (
                      <label key={step} className="checkbox"><input type="checkbox" checked={!left.has(step)} onChange={(event) => setLeft((before) => {
                        const next = new Set(before);
                        if (event.target.checked) next.delete(step);
                        else next.add(step);
                        return next;
                      })} />{step}</label>
                    ))}
                    {(of('/exclude') ?? of('/steps')) && <p className="wrong" style={{ flexBasis: '100%' }}>{of('/exclude') ?? of('/steps')}</p>}
                  </fieldset>
                )}
              </div>
            </details>
            {problem && (
              <div className="note bad" role="alert">
                <p><strong>{problem.title}.</strong> {problem.detail}</p>
                {problem.hint && <p className="small">{problem.hint}</p>}
                {said.elsewhere.map((one, i) => <p key={i} className="small">{one.pointer && <code>{one.pointer} </code>}{one.message}</p>)}
              </div>
            )}
            {fieldsWrong > 0 && <p className="wrong" role="alert">{fieldsWrong === 1 ? 'One field needs another look.' : `${fieldsWrong} fields need another look.`}</p>}
            <div className="row wrap">
              <button className="button primary" type="submit" disabled={!name || start.isPending}>{start.isPending ? 'Starting …' : 'Start the run'}</button>
              <button className="button" type="button" disabled={!name || plan.isPending} onClick={() => act(plan)}>Show the plan first</button>
              <span className="small quiet keys-hint"><kbd>Ctrl</kbd> <kbd>Enter</kbd> starts</span>
            </div>
          </section>
          {plan.data && <PlanView plan={plan.data} />}
          {name && (
            <section className="card" aria-label="The same in a shell">
              <header><h2>The same in a shell</h2></header>
              {[['wave', asCommand(body)], ['curl', asCurl(body)]].map(([what, text]) => (
                <div key={what} className="shell-line">
                  <pre className="code wrap">{text}</pre>
                  <button type="button" className="button plain small" aria-label={`Copy the ${what} line`} onClick={() => copy(what!, text!)}><Icon name="copy" size={14} />{copied === what ? 'Copied' : 'Copy'}</button>
                </div>
              ))}
            </section>
          )}
        </div>
        <aside className="card" aria-label="Graph">
          {detail.data ? <div className="graph tall"><Suspense fallback={<Bones rows={6} />}><GraphView graph={detail.data.graph} label={`Graph of ${name}`} /></Suspense></div>
            : name && detail.isPending ? <Bones rows={6} /> : <Empty icon="pipeline" title="Choose a pipeline"><p>Its graph appears here.</p></Empty>}
        </aside>
      </form>
    </>
  );
}
