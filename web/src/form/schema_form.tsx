// The fields of a schema, each with its words, its control and what is wrong with it.
import './form.css';
import { useEffect, useId, useState, type ReactNode } from 'react';
import { Icon } from '../ui/icons';
import { initialValue, valueAt, withValue, type Field, type Json } from './schema';

export interface FormProps {
  form: Field;
  value: Json | undefined;
  onChange: (value: Json | undefined) => void;
  /** What is wrong, by JSON pointer. */
  wrong: ReadonlyMap<string, string>;
  onLeave: (pointer: string) => void;
}

interface Control {
  field: Field;
  value: Json | undefined;
  set: (value: Json | undefined) => void;
  leave: () => void;
  id: string;
  invalid: boolean;
  describedBy: string | undefined;
}

/** A number as it is being typed: "1." is on its way to 1.5. */
function NumberControl({ field, value, set, leave, id, invalid, describedBy }: Control) {
  const shown = value === undefined ? '' : String(value);
  const [draft, setDraft] = useState(shown);
  useEffect(() => {
    setDraft((now) => (now !== '' && Number(now) === value ? now : shown));
  }, [shown, value]);
  return (
    <input id={id} className="input number" inputMode={field.whole ? 'numeric' : 'decimal'} autoComplete="off" value={draft} placeholder={field.example || undefined} aria-invalid={invalid} aria-describedby={describedBy} aria-required={field.required} onBlur={leave}
      onChange={(event) => {
        const typed = event.target.value;
        setDraft(typed);
        const number = Number(typed);
        set(typed.trim() === '' ? undefined : Number.isFinite(number) ? number : typed);
      }} />
  );
}

function TextControl({ field, value, set, leave, id, invalid, describedBy }: Control) {
  const shown = value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value);
  const common = {
    id, value: shown, placeholder: field.example || undefined, 'aria-invalid': invalid, 'aria-describedby': describedBy, 'aria-required': field.required, onBlur: leave,
    onChange: (event: { target: { value: string } }) => set(event.target.value === '' ? undefined : event.target.value),
  };
  // An input that is text alone is written at length, unless it has to look like something.
  const whole = field.path.length === 0 && field.pattern === null && field.format === '';
  const long = whole || field.format === 'multiline' || field.format === 'markdown' || (field.maxLength ?? 0) > 200 || shown.includes('\n');
  if (long) return <textarea {...common} className="textarea" rows={4} />;
  const types: Record<string, string> = { email: 'email', uri: 'url', date: 'date' };
  // The browser's own complaints are off (noValidate): one voice is enough.
  return <input {...common} className="input" autoComplete="off" spellCheck={field.pattern === null} type={types[field.format] ?? 'text'} />;
}

function ChoiceControl({ field, value, set, leave, id, invalid, describedBy }: Control) {
  const at = field.choices.findIndex((choice) => JSON.stringify(choice.value) === JSON.stringify(value));
  return (
    <select id={id} className="select" value={at} aria-invalid={invalid} aria-describedby={describedBy} aria-required={field.required} onBlur={leave} onChange={(event) => set(field.choices[Number(event.target.value)]?.value)}>
      {(at < 0 || !field.required) && <option value={-1}>{value !== undefined && at < 0 ? `${JSON.stringify(value)} (not one of them)` : field.required ? 'Choose one …' : 'Not said'}</option>}
      {field.choices.map((choice, i) => <option key={i} value={i}>{choice.label}</option>)}
    </select>
  );
}

function ScalarControl(props: Control) {
  switch (props.field.kind) {
    case 'number': return <NumberControl {...props} />;
    case 'choice': return <ChoiceControl {...props} />;
    case 'flag': return (
      <select id={props.id} className="select" value={String(props.value ?? '')} aria-invalid={props.invalid} aria-describedby={props.describedBy} onBlur={props.leave} onChange={(event) => props.set(event.target.value === '' ? undefined : event.target.value === 'true')}>
        {props.value === undefined && <option value="" />}
        <option value="true">yes</option>
        <option value="false">no</option>
      </select>
    );
    default: return <TextControl {...props} />;
  }
}

function Notes({ field, wrong, id }: { field: Field; wrong: string | undefined; id: string }) {
  return (
    <>
      {field.description && <p className="hint" id={`${id}-hint`}>{field.description}</p>}
      {wrong && <p className="wrong" id={`${id}-wrong`}><Icon name="alert" size={13} />{wrong[0]!.toUpperCase() + wrong.slice(1)}</p>}
    </>
  );
}

const describedBy = (field: Field, wrong: string | undefined, id: string): string | undefined =>
  [field.description ? `${id}-hint` : '', wrong ? `${id}-wrong` : ''].filter(Boolean).join(' ') || undefined;

interface At extends FormProps {
  field: Field;
  prefix: string;
}

function FieldRow({ field, prefix, ...form }: At) {
  const id = `${prefix}${field.pointer}`;
  const wrong = form.wrong.get(field.pointer);
  const value = valueAt(form.value, field.path);
  const set = (next: Json | undefined) => form.onChange(withValue(form.form, form.value, field.path, next));
  const leave = () => form.onLeave(field.pointer);
  const control = { field, value, set, leave, id, invalid: wrong !== undefined, describedBy: describedBy(field, wrong, id) };
  if (field.kind === 'group') return <Group field={field} prefix={prefix} {...form} />;
  if (field.kind === 'list') return <List field={field} prefix={prefix} {...form} />;
  if (field.kind === 'flag') {
    // Unticked is "no" where something has to be said, else nothing is said.
    const off = field.required || initialValue(field) !== undefined ? false : undefined;
    return (
      <div className="field">
        <label className="checkbox"><input type="checkbox" id={id} checked={value === true} aria-invalid={control.invalid} aria-describedby={control.describedBy} onBlur={leave} onChange={(event) => set(event.target.checked ? true : off)} /><span className="label">{field.label}</span></label>
        <Notes field={field} wrong={wrong} id={id} />
      </div>
    );
  }
  return (
    <div className="field">
      <FieldLabel field={field} id={id} />
      <ScalarControl {...control} />
      <Notes field={field} wrong={wrong} id={id} />
    </div>
  );
}

function FieldLabel({ field, id }: { field: Field; id: string }) {
  return <label htmlFor={id}>{field.label || 'Input'}{!field.required && <span className="optional"> optional</span>}</label>;
}

function Legend({ field }: { field: Field }) {
  return <legend className="label">{field.label || 'Input'}{!field.required && <span className="optional"> optional</span>}</legend>;
}

function List({ field, prefix, ...form }: At) {
  const id = `${prefix}${field.pointer}`;
  const found = valueAt(form.value, field.path);
  const items = Array.isArray(found) ? found : [];
  const wrong = form.wrong.get(field.pointer);
  const set = (next: Json[]) => form.onChange(withValue(form.form, form.value, field.path, next.length === 0 && !field.required ? undefined : next));
  const replace = (at: number, value: Json | undefined) => set(items.map((item, i) => (i === at ? value ?? '' : item)));
  const item = field.item!;
  const first = item.kind === 'choice' ? item.choices[0]!.value : item.kind === 'flag' ? false : '';
  return (
    <fieldset className="field list" aria-describedby={describedBy(field, wrong, id)}>
      <Legend field={field} />
      {field.description && <p className="hint" id={`${id}-hint`}>{field.description}</p>}
      {items.map((value, i) => {
        const pointer = `${field.pointer}/${i}`;
        const bad = form.wrong.get(pointer);
        return (
          <div key={i} className="list-item">
            <label className="sr-only" htmlFor={`${prefix}${pointer}`}>{`${field.label}, number ${i + 1}`}</label>
            <ScalarControl field={item} value={value} set={(next) => replace(i, next)} leave={() => form.onLeave(pointer)} id={`${prefix}${pointer}`} invalid={bad !== undefined} describedBy={bad ? `${prefix}${pointer}-wrong` : undefined} />
            <button type="button" className="button plain icon" aria-label={`Remove number ${i + 1} of ${field.label}`} onClick={() => set(items.filter((_, k) => k !== i))}><Icon name="close" size={15} /></button>
            {bad && <p className="wrong" id={`${prefix}${pointer}-wrong`}><Icon name="alert" size={13} />{bad[0]!.toUpperCase() + bad.slice(1)}</p>}
          </div>
        );
      })}
      {wrong && <p className="wrong" id={`${id}-wrong`}><Icon name="alert" size={13} />{wrong[0]!.toUpperCase() + wrong.slice(1)}</p>}
      <div><button type="button" className="button small" id={id} aria-invalid={wrong !== undefined} disabled={field.maxItems !== null && items.length >= field.maxItems} onClick={() => set([...items, first])}><Icon name="plus" size={14} />Add {items.length === 0 ? 'one' : 'another'}</button></div>
    </fieldset>
  );
}

function Group({ field, prefix, ...form }: At): ReactNode {
  const id = `${prefix}${field.pointer}`;
  const wrong = form.wrong.get(field.pointer);
  const fields = field.fields.map((one) => <FieldRow key={one.pointer} field={one} prefix={prefix} {...form} />);
  if (field.path.length === 0) {
    return (
      <div className="schema-form">
        <Notes field={{ ...field, description: '' }} wrong={wrong} id={id} />
        {fields}
      </div>
    );
  }
  return (
    <fieldset className="group" aria-describedby={describedBy(field, wrong, id)}>
      <Legend field={field} />
      <Notes field={field} wrong={wrong} id={id} />
      {fields}
    </fieldset>
  );
}

export function SchemaForm(props: FormProps) {
  const prefix = useId();
  return props.form.kind === 'group' ? <Group field={props.form} prefix={prefix} {...props} /> : <div className="schema-form"><FieldRow field={props.form} prefix={prefix} {...props} /></div>;
}
