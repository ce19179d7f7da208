// Starting a run: what, on which input, how; what it would do; and the same call for a shell.
import './new_run.css';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { lazy, Suspense, useEffect, useState, type FormEvent } from 'react';
import { ApiError, get, path } from '../api/client';
import { pipelineQuery, pipelinesQuery, planRun, submitRun } from '../api/queries';
import type { Plan, RunDetail, Submit } from '../api/types';
import { Icon } from '../ui/icons';
import { Bones, Empty, PageHead, Trouble } from '../ui/states';
import { useTitle } from '../ui/title';
import { toast } from '../ui/toasts';

const GraphView = lazy(() => import('../run/graph'));
const quote = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;

function asCurl(body: Submit): string {
  return `curl -sS ${location.origin}/api/runs \\\n  -H 'Content-Type: application/json' \\\n  -d ${quote(JSON.stringify(body))}`;
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
  const [input, setInput] = useState('');
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

  // "Run again": the old run's words are the beginning of the new one's.
  const old = useQuery({ queryKey: ['run-again', search.from], queryFn: ({ signal }) => get<RunDetail>(path`/api/runs/${search.from ?? ''}`, signal), enabled: Boolean(search.from) });
  useEffect(() => {
    if (!old.data) return;
    setInput(old.data.run.input ?? '');
    setTags(Object.entries(old.data.run.tags).map(([key, value]) => `${key}=${value}`).join('\n'));
  }, [old.data]);

  const body: Submit = { pipeline: name ?? '' };
  if (input) body.input = input;
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
  const submit = (event: FormEvent) => {
    event.preventDefault();
    start.mutate();
  };
  const copy = (what: string, text: string) => void navigator.clipboard?.writeText(text).then(() => setCopied(what));

  if (pipelines.isPending) return <Bones rows={8} label="Loading pipelines" />;
  if (pipelines.isError) return <Trouble error={pipelines.error} retry={() => void pipelines.refetch()} />;
  if (pipelines.data.pipelines.length === 0) return <Empty icon="pipeline" title="This project has no pipeline yet"><p>Write one below <code>.agents/pipelines</code>, or let <code>wave init</code> make a first one.</p></Empty>;
  return (
    <>
      <PageHead title={search.from ? 'Run again' : 'New run'}>{search.from && <p>With the words of <Link to="/runs/$runId" params={{ runId: search.from }}>{search.from}</Link>. Change what should be different.</p>}</PageHead>
      <form className="new-run" onSubmit={submit}>
        <div className="stack">
          <section className="card pad stack">
            <div className="field">
              <label htmlFor="pipeline">Pipeline</label>
              <select id="pipeline" className="select" style={{ width: '100%' }} required value={name ?? ''} onChange={(event) => {
                setLeft(new Set());
                void navigate({ search: (before) => ({ ...before, pipeline: event.target.value || undefined }), replace: true });
              }}>
                <option value="" disabled>Choose one …</option>
                {pipelines.data.pipelines.map((one) => <option key={one.name} value={one.name} disabled={!one.valid || one.disabled}>{one.name}{one.valid ? '' : ' (does not load)'}{one.disabled ? ' (disabled)' : ''}</option>)}
              </select>
              {chosen?.description && <p className="hint">{chosen.description}</p>}
              {chosen && !chosen.runnable && <p className="wrong">This version cannot carry out all of it: see its <Link to="/pipelines/$name" params={{ name: chosen.name }}>diagnostics</Link>.</p>}
            </div>
            <div className="field">
              <label htmlFor="input">Input</label>
              <textarea id="input" className="textarea" rows={5} value={input} placeholder={chosen?.input_example ?? 'What it is to work on'} onChange={(event) => setInput(event.target.value)}
                onKeyDown={(event) => {
                  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) start.mutate();
                }} />
              <p className="hint">The steps’ prompts name it as <code>{'{{ input }}'}</code>. <kbd>Ctrl</kbd> <kbd>Enter</kbd> starts.</p>
            </div>
            <details>
              <summary className="label">Options</summary>
              <div className="stack" style={{ marginTop: 'var(--s4)' }}>
                <div className="options">
                  <div className="field"><label htmlFor="model">Model</label><input id="model" className="input" value={model} placeholder="As the personas say" onChange={(event) => setModel(event.target.value)} /></div>
                  <div className="field"><label htmlFor="adapter">Adapter</label><input id="adapter" className="input" value={adapter} placeholder="As the personas say" onChange={(event) => setAdapter(event.target.value)} /></div>
                  <div className="field"><label htmlFor="minutes">Timeout of each step, minutes</label><input id="minutes" className="input" type="number" min="0" step="any" value={minutes} placeholder="As written" onChange={(event) => setMinutes(event.target.value)} /></div>
                </div>
                <div className="field"><label htmlFor="tags">Tags <span className="quiet">(key=value, one a line)</span></label><textarea id="tags" className="textarea" rows={2} style={{ minHeight: '3.2rem' }} value={tags} onChange={(event) => setTags(event.target.value)} /></div>
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
                  </fieldset>
                )}
              </div>
            </details>
            {problem && (
              <div className="note bad" role="alert">
                <p><strong>{problem.title}.</strong> {problem.detail}</p>
                {problem.hint && <p className="small">{problem.hint}</p>}
                {problem.errors?.map((one, i) => <p key={i} className="small"><code>{one.pointer || '/'}</code> {one.message}</p>)}
              </div>
            )}
            <div className="row wrap">
              <button className="button primary" type="submit" disabled={!name || start.isPending}>{start.isPending ? 'Starting …' : 'Start the run'}</button>
              <button className="button" type="button" disabled={!name || plan.isPending} onClick={() => plan.mutate()}>Show the plan first</button>
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
