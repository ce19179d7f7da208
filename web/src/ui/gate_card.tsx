// A question to a person, answerable where it stands. The stream has the last word: if somebody else was
// quicker, their decision is shown.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useId, useState } from 'react';
import { ApiError } from '../api/client';
import { decideGate, gatesQuery } from '../api/queries';
import type { Gate, GateChoice, Page, WaitingGate } from '../api/types';
import { exact } from './format';
import { Icon } from './icons';
import { Ago, useNow } from './time';
import { toast, toastError } from './toasts';

function Deadline({ gate }: { gate: Gate }) {
  const now = useNow(Boolean(gate.deadline));
  if (!gate.deadline) return null;
  const close = Date.parse(gate.deadline) - now < 15 * 60_000;
  const label = gate.choices.find((choice) => choice.key === gate.default_choice)?.label ?? gate.default_choice;
  return (
    <span className={`chip ${close ? 'tone-warn' : ''}`} title={exact(gate.deadline)} style={close ? { color: 'var(--warn)', background: 'var(--warn-soft)' } : undefined}>
      <Icon name="clock" size={13} />
      {label ? `“${label}”` : 'ends'} <Ago time={gate.deadline} />
    </span>
  );
}

const endsRun = (choice: GateChoice) => choice.target === '_fail';

export function GateDecision({ gate }: { gate: Gate }) {
  const by = gate.by ? ` by ${gate.by}` : '';
  const what = gate.outcome === 'withdrawn' ? 'Withdrawn: its step ended otherwise'
    : gate.outcome === 'timeout' ? 'Its time ran out'
      : gate.outcome === 'timer' ? 'Its time has come'
        : `${gate.choices.find((choice) => choice.key === gate.choice)?.label ?? gate.choice ?? gate.outcome}${by}`;
  return (
    <p className="small">
      <strong>{what}</strong>{gate.outcome === 'default' && ' (its default)'} <Ago time={gate.decided_at} />
      {gate.text && <span className="quiet"> · “{gate.text}”</span>}
    </p>
  );
}

/** Who may answer, where the gate says so; null: everybody who answers gates. */
function approversText(gate: Gate): string | null {
  const listed = (gate.approvers ?? []).map((one) => one.replace(/^role:/, 'the role ')).join(', ');
  if (!gate.forbid_self_approval) return listed || null;
  return listed ? `${listed}; not who started the run` : 'anybody but who started the run';
}

/** Whether who is signed in may answer: what the server says of its waiting gates. */
function useMayAnswer(gate: Gate): boolean {
  const known = useQuery(gatesQuery).data?.gates.find((one) => one.gate.run_id === gate.run_id && one.gate.gate_id === gate.gate_id);
  return known?.gate.may_answer ?? gate.may_answer ?? true;
}

export function GateForm({ gate, focus = false }: { gate: Gate; focus?: boolean }) {
  const [text, setText] = useState('');
  const [other, setOther] = useState<string | null>(null);
  const id = useId();
  const client = useQueryClient();
  const mayAnswer = useMayAnswer(gate);
  const who = approversText(gate);
  const decide = useMutation({
    mutationFn: (choice: string | undefined) => decideGate(gate, choice, text),
    onSuccess: (_, choice) => {
      toast('ok', 'Decided', gate.choices.find((one) => one.key === choice)?.label);
      client.setQueryData<Page<'gates', WaitingGate>>(['gates'], (data) => data && {
        ...data, gates: data.gates.filter((one) => one.gate.gate_id !== gate.gate_id || one.gate.run_id !== gate.run_id),
      });
    },
    onError: (error) => {
      const standing = error instanceof ApiError ? error.problem.standing : undefined;
      if (standing) setOther(`${standing.label ?? standing.choice ?? 'Decided'}, by ${standing.by}`);
      else toastError('The decision was not taken', error);
    },
  });
  if (other) return <p className="note info small"><strong>Somebody was quicker:</strong> {other}</p>;
  const choices: GateChoice[] = gate.choices.length > 0 ? gate.choices : [{ key: '', label: 'Approve', target: null }];
  return (
    <form className="stack tight" onSubmit={(event) => event.preventDefault()}>
      {gate.freeform && (
        <div className="field">
          <label htmlFor={id}>Your answer <span className="quiet">(goes with the decision)</span></label>
          <textarea id={id} className="textarea" rows={2} style={{ minHeight: '3.5rem' }} value={text} onChange={(event) => setText(event.target.value)} />
        </div>
      )}
      {who && <p className="small quiet">{mayAnswer ? 'May answer' : 'You may not answer this one. Who may'}: {who}</p>}
      <div className="row wrap">
        {choices.map((choice, i) => (
          <button
            key={choice.key} type="button" autoFocus={focus && i === 0} disabled={!mayAnswer || decide.isPending || decide.isSuccess}
            className={`button ${i === 0 && !endsRun(choice) ? 'primary' : endsRun(choice) ? 'danger' : ''}`}
            title={endsRun(choice) ? 'Ends the run as failed' : choice.target ? `Goes to the step ${choice.target}` : 'Goes on'}
            onClick={() => decide.mutate(choice.key || undefined)}
          >
            {choice.label || choice.key}
            {i > 0 && choice.target && !endsRun(choice) && <span className="quiet small">→ {choice.target}</span>}
          </button>
        ))}
        <Deadline gate={gate} />
      </div>
    </form>
  );
}

export function GateCard({ waiting }: { waiting: WaitingGate }) {
  const { gate } = waiting;
  return (
    <article className="card pad gate-card" aria-label={`${gate.step} of ${waiting.pipeline} waits`}>
      <div className="row wrap small quiet">
        <Icon name="gate" size={16} />
        <Link to="/runs/$runId" params={{ runId: gate.run_id }} search={{ step: gate.step }}>{waiting.pipeline} / {gate.step}</Link>
        <span>asked <Ago time={gate.opened_at} /></span>
      </div>
      <p className="prompt">{gate.prompt || 'Shall it go on?'}</p>
      {waiting.input && <p className="small quiet truncate" title={waiting.input}>For: {waiting.input}</p>}
      <GateForm gate={gate} />
    </article>
  );
}
