// The input of a run: a form where the pipeline says what it wants, its JSON beside it, else plain text.
import { useState } from 'react';
import type { PipelineInput } from '../api/types';
import { Icon } from '../ui/icons';
import { initialValue, parse, problemsOf, shows, understand, type Field, type Json } from './schema';
import { SchemaForm } from './schema_form';

/** The form that a pipeline's input has; null: it is text, or its schema is beyond a form. */
export function formOf(input: PipelineInput | undefined): Field | null {
  if (!input?.held) return null;
  const form = understand(input.schema);
  return form?.kind === 'text' && form.pattern === null && form.maxLength === null && form.format === '' && form.minLength === 0 ? null : form;
}

/** What a form begins with, as text. */
export function firstInput(input: PipelineInput | undefined): string {
  const form = formOf(input);
  const value = form ? initialValue(form) : undefined;
  if (value === undefined) return '';
  return input!.is_text ? String(value) : JSON.stringify(value, null, 2);
}

const asValue = (input: PipelineInput, text: string) => (input.is_text ? { value: text === '' ? undefined : (text as Json) } : parse(text));
const asText = (input: PipelineInput, value: Json | undefined) => (value === undefined ? '' : input.is_text ? String(value) : JSON.stringify(value, null, 2));

/** What is wrong with the text, by JSON pointer below /input, as the browser can tell. */
export function inputProblems(input: PipelineInput | undefined, text: string): Map<string, string> {
  if (!input?.held) return new Map();
  const read = asValue(input, text);
  if ('error' in read) return new Map([['', `has to be JSON: ${read.error}`]]);
  const form = formOf(input);
  return form ? problemsOf(form, read.value) : new Map();
}

/** What is sent: JSON that a form made goes without its spaces, everything else as it was written. */
export function inputToSend(input: PipelineInput | undefined, text: string, byHand: boolean): string {
  if (!input || input.is_text || byHand || !formOf(input)) return text;
  const read = parse(text);
  return 'error' in read || read.value === undefined ? text : JSON.stringify(read.value);
}

interface Props {
  input: PipelineInput | undefined;
  example: string | null | undefined;
  text: string;
  onText: (text: string, byHand: boolean) => void;
  /** What the server said, by JSON pointer below /input. */
  refused: ReadonlyMap<string, string>;
  /** After an attempt to start: everything that is wrong is shown. */
  tried: boolean;
}

export function RunInput({ input, example, text, onText, refused, tried }: Props) {
  const form = formOf(input);
  const [raw, setRaw] = useState(false);
  const [left, setLeft] = useState<ReadonlySet<string>>(new Set());
  const read = input ? asValue(input, text) : { value: text };
  const description = String((input?.schema as { description?: unknown } | null | undefined)?.description ?? '');
  // A form can only show what is JSON.
  const unreadable = 'error' in read;
  const asForm = form !== null && !raw && !unreadable;
  const problems = inputProblems(input, text);
  const wrong = new Map([...problems].filter(([pointer]) => tried || left.has(pointer)));
  for (const [pointer, message] of refused) wrong.set(pointer, wrong.get(pointer) ?? message);
  const filled = example && !input?.is_text && 'value' in parse(example) ? example : null;
  if (asForm && !('error' in read)) {
    const single = form.kind !== 'group';
    return (
      <div className="stack">
        {!single || !input!.is_text ? <Head description={description} raw={raw} setRaw={setRaw} both={!input!.is_text} /> : null}
        <SchemaForm form={single ? { ...form, label: form.label || 'Input', description: input!.is_text ? form.description : '' } : form} value={read.value} wrong={wrong}
          onLeave={(pointer) => setLeft((before) => new Set([...before, pointer]))}
          onChange={(value) => onText(asText(input!, value), false)} />
        {filled && <div><button type="button" className="button small" onClick={() => onText(JSON.stringify(JSON.parse(filled), null, 2), false)}>Fill in the example</button></div>}
      </div>
    );
  }
  const json = input !== undefined && !input.is_text && input.held;
  const elsewhere = form ? [...wrong].filter(([pointer]) => pointer !== '' && shows(form, pointer)) : [...wrong].filter(([pointer]) => pointer !== '');
  const first = wrong.get('') ?? (unreadable && (tried || left.has('')) ? problems.get('') : undefined);
  return (
    <div className="stack tight">
      {form && <Head description={description} raw setRaw={setRaw} both unreadable={unreadable} />}
      <div className="field">
        <label htmlFor="input" className={form ? 'sr-only' : ''}>Input{json ? ' as JSON' : ''}</label>
        {!form && description && <p className="hint" id="input-description">{description}</p>}
        <textarea id="input" className={`textarea ${json ? 'json' : ''}`} rows={json ? 10 : 5} value={text} placeholder={example ?? (json ? '{ }' : 'What it is to work on')} spellCheck={!json}
          aria-invalid={first !== undefined || elsewhere.length > 0} aria-describedby={[!form && description ? 'input-description' : '', first || elsewhere.length > 0 ? 'input-wrong' : ''].filter(Boolean).join(' ') || undefined}
          onBlur={() => setLeft((before) => new Set([...before, '']))} onChange={(event) => onText(event.target.value, true)} />
        <div id="input-wrong">
          {first && <p className="wrong"><Icon name="alert" size={13} />{first[0]!.toUpperCase() + first.slice(1)}</p>}
          {elsewhere.map(([pointer, message]) => <p key={pointer} className="wrong"><Icon name="alert" size={13} /><span><code>{pointer}</code> {message}</span></p>)}
        </div>
        <p className="hint">{json && !form ? 'The pipeline wants JSON that fits its schema. ' : ''}The steps’ prompts name it as <code>{'{{ input }}'}</code>.{input && input.type !== 'string' ? <> It stands for a <code>{input.type}</code>.</> : null}</p>
      </div>
      {json && !form && <details><summary className="label">Its schema</summary><pre className="code" tabIndex={0} aria-label="Schema of the input">{JSON.stringify(input.schema, null, 2)}</pre></details>}
    </div>
  );
}

function Head({ description, raw, setRaw, both, unreadable = false }: { description: string; raw: boolean; setRaw: (raw: boolean) => void; both: boolean; unreadable?: boolean }) {
  return (
    <div className="stack tight">
      <div className="input-head">
        <h2>Input</h2>
        {both && (
          <div className="segments" role="group" aria-label="How to give the input">
            <button type="button" aria-pressed={!raw} disabled={unreadable} title={unreadable ? 'What is written is no JSON' : undefined} onClick={() => setRaw(false)}>Form</button>
            <button type="button" aria-pressed={raw} onClick={() => setRaw(true)}>JSON</button>
          </div>
        )}
      </div>
      {description && <p className="small quiet">{description}</p>}
    </div>
  );
}
