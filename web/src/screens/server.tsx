// The server itself: whether it is well, how much it does at once, who may come in, what comes in from outside.
import './catalogue.css';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState, type FormEvent } from 'react';
import { base } from '../api/base';
import { path, send } from '../api/client';
import { healthQuery, optionalQuery, patchQueue, queueQuery, readinessQuery, sessionQuery } from '../api/queries';
import { useConnection } from '../live/hooks';
import { notifies, setNotifies } from '../live/notify';
import { Dialog } from '../ui/dialog';
import { duration, shortId } from '../ui/format';
import { Bones, PageHead, Trouble } from '../ui/states';
import { Status } from '../ui/status';
import { Ago, useNow } from '../ui/time';
import { useTitle } from '../ui/title';
import { toast, toastError } from '../ui/toasts';

interface Delivery {
  id: number;
  received_at: string;
  event: string;
  action: string | null;
  sender: string | null;
  outcome: string;
  run_id: string | null;
  detail: string | null;
}
interface Webhook {
  name: string;
  provider: string;
  enabled: boolean;
  path: string;
  pipeline: string;
  events: string[];
  problem: string | null;
  last_delivery: Delivery | null;
}
interface SessionRow {
  id: string;
  subject: string;
  role: string;
  current?: boolean;
  address?: string | null;
  created_at?: string | null;
  last_seen_at?: string | null;
  expires_at?: string | null;
}

function Health() {
  const health = useQuery(healthQuery);
  const ready = useQuery(readinessQuery);
  const now = useNow();
  const connection = useConnection();
  if (health.isPending) return <Bones rows={4} label="Asking for its health" />;
  if (health.error) return <Trouble error={health.error} retry={() => void health.refetch()} />;
  const started = health.data.started_at;
  return (
    <section className="card" aria-label="Health">
      <header><h2>Health</h2>{ready.data && <Status pill status={ready.data.status === 'ready' ? 'completed' : 'failed'} word={ready.data.status === 'ready' ? 'Takes new work' : 'Takes no new work'} />}</header>
      <div className="stack" style={{ padding: 'var(--s4)' }}>
        <dl className="facts">
          {health.data.version && <><dt>Version</dt><dd>{health.data.version}</dd></>}
          {started && <><dt>Up for</dt><dd title={started}>{duration(now - Date.parse(started))}</dd></>}
          <dt>Access</dt><dd>{health.data.auth ?? 'unknown'}</dd>
          {health.data.actor && <><dt>You are</dt><dd>{health.data.actor}{health.data.role && `, ${health.data.role}`}</dd></>}
          <dt>Stream</dt><dd>{connection.replace('_', ' ')}</dd>
        </dl>
        {ready.data?.checks && (
          <ul className="stack tight">
            {ready.data.checks.map((check) => (
              <li key={check.name}><Status status={check.status === 'ok' ? 'completed' : 'failed'} word={check.name} />{check.message && <span className="small quiet"> {check.message}{check.hint && ` ${check.hint}`}</span>}</li>
            ))}
          </ul>
        )}
        <p className="small"><a href={`${base}/api/docs`}>API documentation</a> · <a href={`${base}/api/openapi.json`}>OpenAPI document</a> · <a href={`${base}/metrics`}>Metrics</a></p>
      </div>
    </section>
  );
}

function QueueSettings() {
  const client = useQueryClient();
  const { data } = useQuery(queueQuery);
  const [slots, setSlots] = useState('');
  const [draining, setDraining] = useState(false);
  const change = useMutation({
    mutationFn: patchQueue,
    onSuccess: (queue) => {
      if (queue) client.setQueryData(['queue'], queue);
      void client.invalidateQueries({ queryKey: ['queue'] });
      setSlots('');
      toast('ok', 'Changed');
    },
    onError: (error) => toastError('It was not changed', error),
  });
  if (!data) return <div className="card"><Bones rows={3} label="Loading the queue" /></div>;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (Number(slots) > 0) change.mutate({ max_concurrent: Number(slots) });
  };
  return (
    <section className="card" aria-label="Queue settings">
      <header><h2>Queue</h2><span className="small quiet">{data.running.length} run, {data.waiting.length} wait for a slot, {data.parked.length} for something else</span></header>
      <div className="stack" style={{ padding: 'var(--s4)' }}>
        <form className="row wrap" style={{ alignItems: 'flex-end' }} onSubmit={submit}>
          <div className="field"><label htmlFor="slots">Runs at the same time</label><input id="slots" className="input" style={{ width: 120 }} type="number" min={1} max={1000} value={slots} placeholder={String(data.max_concurrent)} onChange={(event) => setSlots(event.target.value)} /></div>
          <button className="button" type="submit" disabled={!slots || change.isPending}>Set</button>
        </form>
        <div className="row wrap spread">
          <p className="small">{data.draining ? 'Draining: what runs ends, nothing new starts. What is submitted waits.' : 'New runs start as soon as there is a slot.'}</p>
          <button className={`button small ${data.draining ? 'primary' : ''}`} disabled={change.isPending} onClick={() => (data.draining ? change.mutate({ draining: false }) : setDraining(true))}>{data.draining ? 'Start again' : 'Drain …'}</button>
        </div>
      </div>
      <Dialog open={draining} onClose={() => setDraining(false)} title="Drain the queue?" description="What runs goes on to its end. Nothing new starts until you say so; what is submitted waits in order.">
        <div className="actions">
          <button className="button" onClick={() => setDraining(false)}>Not now</button>
          <button className="button primary" onClick={() => { setDraining(false); change.mutate({ draining: true }); }}>Drain</button>
        </div>
      </Dialog>
    </section>
  );
}

function Deliveries({ name }: { name: string }) {
  const { data, isPending } = useQuery(optionalQuery<{ unavailable?: string; deliveries: Delivery[] }>('deliveries', path`/api/webhooks/${name}/deliveries`));
  if (isPending) return <Bones rows={3} label="Loading deliveries" />;
  if (!data || data.unavailable || data.deliveries.length === 0) return <p className="small quiet" style={{ padding: 'var(--s2) 0' }}>{data?.unavailable ?? 'Nothing was delivered yet.'}</p>;
  return (
    <div className="scroll-x" tabIndex={0} role="region" aria-label={`Deliveries of ${name}`}>
      <table className="table">
        <thead><tr><th>When</th><th>Event</th><th>From</th><th>Outcome</th><th>Run</th></tr></thead>
        <tbody>{data.deliveries.slice(0, 20).map((one) => (
          <tr key={one.id}><td className="nowrap"><Ago time={one.received_at} /></td><td>{one.event}{one.action && `.${one.action}`}</td><td>{one.sender ?? '–'}</td><td>{one.outcome}{one.detail && <span className="quiet"> {one.detail}</span>}</td><td>{one.run_id ? <Link to="/runs/$runId" params={{ runId: one.run_id }}>{shortId(one.run_id)}</Link> : '–'}</td></tr>
        ))}</tbody>
      </table>
    </div>
  );
}

function Webhooks() {
  const { data, isPending } = useQuery(optionalQuery<{ unavailable?: string; webhooks: Webhook[] }>('webhooks', '/api/webhooks'));
  return (
    <section className="card" aria-label="Webhooks">
      <header><h2>Webhooks</h2></header>
      {isPending ? <Bones rows={2} label="Loading webhooks" /> : !data || data.unavailable ? <p className="quiet small" style={{ padding: 'var(--s4)' }}>{data?.unavailable ?? 'None.'}</p>
        : data.webhooks.length === 0 ? <p className="quiet small" style={{ padding: 'var(--s4)' }}>None. Name them under <code>server.webhooks</code> in wave.yaml, so that a push, a label or a comment starts a pipeline.</p> : (
          <div className="stack" style={{ padding: 'var(--s4)' }}>
            {data.webhooks.map((hook) => (
              <details key={hook.name}>
                <summary><strong>{hook.name}</strong> <span className="quiet small">{hook.provider} · starts {hook.pipeline} · <code>{hook.path}</code>{!hook.enabled && ' · off'}</span></summary>
                {hook.problem && <p className="note bad small">{hook.problem}</p>}
                <Deliveries name={hook.name} />
              </details>
            ))}
          </div>
        )}
    </section>
  );
}

function Sessions() {
  const client = useQueryClient();
  const me = useQuery(sessionQuery).data;
  const { data } = useQuery(optionalQuery<{ unavailable?: string; sessions: SessionRow[] }>('sessions', '/api/sessions'));
  const end = useMutation({
    mutationFn: (id: string) => send('DELETE', path`/api/sessions/${id}`),
    onSuccess: () => void client.invalidateQueries({ queryKey: ['optional', 'sessions'] }),
    onError: (error) => toastError('The session was not ended', error),
  });
  const leave = useMutation({
    mutationFn: () => send('POST', '/api/logout'),
    onSuccess: () => location.assign(`${base}/login`),
    onError: (error) => toastError('You are still signed in', error),
  });
  const [notes, setNotes] = useState(notifies());
  return (
    <section className="card" aria-label="You and others">
      <header><h2>You and others</h2>{me?.method === 'session' && <button className="button small" onClick={() => leave.mutate()}>Sign out</button>}</header>
      <div className="stack" style={{ padding: 'var(--s4)' }}>
        <label className="checkbox"><input type="checkbox" checked={notes} onChange={(event) => void setNotifies(event.target.checked).then((on) => {
          setNotes(on);
          if (event.target.checked && !on) toast('bad', 'The browser does not allow it', 'Allow notifications for this page in its settings.');
        })} />Tell me when a gate waits or a run ends, also when this page is hidden</label>
        {data?.sessions && data.sessions.length > 0 && (
          <div className="scroll-x" tabIndex={0} role="region" aria-label="Sessions">
            <table className="table">
              <thead><tr><th>Who</th><th>Role</th><th>Since</th><th>Until</th><th><span className="sr-only">End</span></th></tr></thead>
              <tbody>{data.sessions.map((one) => (
                <tr key={one.id}><td>{one.subject}{one.current && <span className="chip" style={{ marginLeft: 6 }}>this one</span>}</td><td>{one.role}</td><td><Ago time={one.created_at} /></td><td><Ago time={one.expires_at} /></td><td><button className="button small danger" disabled={end.isPending} onClick={() => end.mutate(one.id)}>End</button></td></tr>
              ))}</tbody>
            </table>
          </div>
        )}
        {data?.unavailable && <p className="small quiet">{data.unavailable}</p>}
      </div>
    </section>
  );
}

export default function Server() {
  useTitle('Server');
  return (
    <>
      <PageHead title="Server" />
      <div className="detail">
        <div className="stack"><QueueSettings /><Webhooks /></div>
        <div className="stack"><Health /><Sessions /></div>
      </div>
    </>
  );
}
