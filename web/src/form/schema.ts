// What a JSON Schema asks a person for: fields of a form, what is wrong with their values, and how one of
// them is changed. What a form cannot show is said so (null): the JSON text is always there.

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

export interface Choice {
  value: Json;
  label: string;
}

export interface Field {
  /** A JSON pointer into the value: "" is the value itself. */
  pointer: string;
  path: string[];
  label: string;
  description: string;
  required: boolean;
  kind: 'text' | 'number' | 'flag' | 'choice' | 'list' | 'group';
  initial: Json | undefined;
  example: string;
  choices: Choice[];
  whole: boolean;
  minimum: number | null;
  maximum: number | null;
  above: number | null;
  below: number | null;
  multipleOf: number | null;
  minLength: number;
  maxLength: number | null;
  pattern: string | null;
  format: string;
  minItems: number;
  maxItems: number | null;
  unique: boolean;
  /** Of a list. */
  item: Field | null;
  /** Of a group. */
  fields: Field[];
  /** Of a group: members that are not among `fields` are refused. */
  closed: boolean;
}

const kDeepest = 3;
const kMostFields = 100;
const beyond = ['not', 'if', 'then', 'else', 'allOf', 'patternProperties', 'dependentSchemas', 'dependentRequired', 'dependencies', 'prefixItems', 'contains', 'propertyNames', '$dynamicRef', '$recursiveRef'];

export const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value);
const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const number = (value: unknown): number | null => (typeof value === 'number' && Number.isFinite(value) ? value : null);
const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
export const escapePart = (part: string) => part.replaceAll('~', '~0').replaceAll('/', '~1');
export const pointerOf = (path: readonly string[]) => path.map((part) => `/${escapePart(part)}`).join('');

function words(key: string): string {
  const spaced = key.replaceAll(/[_-]+/g, ' ').replaceAll(/([a-z0-9])([A-Z])/g, (_, a: string, b: string) => `${a} ${b.toLowerCase()}`).trim();
  return spaced ? spaced[0]!.toUpperCase() + spaced.slice(1) : key;
}

class Reader {
  private count = 0;
  constructor(private readonly root: JsonObject) {}

  /** The schema, with a reference into the same document looked up. */
  private resolve(schema: unknown): JsonObject | null {
    let found = schema;
    for (let i = 0; i < 8; ++i) {
      if (!isObject(found)) return null;
      if (found.$ref === undefined) return found;
      const reference = text(found.$ref);
      if (!reference.startsWith('#/')) return null;
      const { $ref: _, ...own } = found;
      let target: unknown = this.root;
      for (const part of reference.slice(2).split('/')) {
        const key = decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~');
        target = isObject(target) && Object.hasOwn(target, key) ? target[key] : undefined;
      }
      if (!isObject(target)) return null;
      found = { ...target, ...own };
    }
    return null;
  }

  field(schema: unknown, path: string[], required: boolean): Field | null {
    const read = this.resolve(schema);
    if (!read || beyond.some((key) => read[key] !== undefined) || ++this.count > kMostFields) return null;
    const key = path.at(-1) ?? '';
    const examples = Array.isArray(read.examples) ? read.examples : [];
    const example = examples[0] ?? read.example;
    const field: Field = {
      pointer: pointerOf(path), path, label: text(read.title) || words(key), description: text(read.description), required,
      kind: 'text', initial: read.default, example: example === undefined || typeof example === 'object' ? '' : String(example), choices: [], whole: false,
      minimum: number(read.minimum), maximum: number(read.maximum), above: number(read.exclusiveMinimum), below: number(read.exclusiveMaximum),
      multipleOf: number(read.multipleOf), minLength: number(read.minLength) ?? 0, maxLength: number(read.maxLength),
      pattern: typeof read.pattern === 'string' ? read.pattern : null, format: text(read.format),
      minItems: number(read.minItems) ?? 0, maxItems: number(read.maxItems), unique: read.uniqueItems === true, item: null, fields: [],
      closed: read.additionalProperties === false,
    };
    const choices = this.choices(read);
    if (choices === null) return null;
    if (choices.length > 0) return { ...field, kind: 'choice', choices };
    return this.typed(read, field);
  }

  /** Of `enum`, `const`, and of a `oneOf` that is a list of constants with titles; null: beyond a form. */
  private choices(schema: JsonObject): Choice[] | null {
    const scalar = (value: Json) => value === null || typeof value !== 'object';
    const named = (value: Json): Choice => ({ value, label: value === null ? 'none' : String(value) });
    if (Array.isArray(schema.enum)) return schema.enum.every(scalar) && schema.enum.length > 0 ? schema.enum.map(named) : null;
    if (schema.const !== undefined) return scalar(schema.const) ? [named(schema.const)] : null;
    const either = schema.oneOf ?? schema.anyOf;
    if (either === undefined) return [];
    if (!Array.isArray(either)) return null;
    const made = either.map((one): Choice | null => (isObject(one) && one.const !== undefined && scalar(one.const) ? { value: one.const, label: text(one.title) || named(one.const).label } : null));
    return made.every((one) => one !== null) ? made : null;
  }

  private typed(schema: JsonObject, field: Field): Field | null {
    const types = (Array.isArray(schema.type) ? schema.type : [schema.type]).filter((type) => type !== 'null');
    if (types.length !== 1) return null;
    switch (types[0] ?? (schema.properties ? 'object' : undefined)) {
      case 'string': return field;
      case 'integer': return { ...field, kind: 'number', whole: true };
      case 'number': return { ...field, kind: 'number' };
      case 'boolean': return { ...field, kind: 'flag' };
      case 'array': return this.list(schema, field);
      case 'object': return this.group(schema, field);
      default: return null;
    }
  }

  private list(schema: JsonObject, field: Field): Field | null {
    const item = this.field(schema.items, [...field.path, '0'], true);
    return item && item.kind !== 'list' && item.kind !== 'group' ? { ...field, kind: 'list', item } : null;
  }

  private group(schema: JsonObject, field: Field): Field | null {
    if (!isObject(schema.properties) || field.path.length >= kDeepest) return null;
    const required = Array.isArray(schema.required) ? schema.required : [];
    const fields = Object.entries(schema.properties).map(([key, one]) => this.field(one, [...field.path, key], required.includes(key)));
    return fields.length > 0 && fields.every((one) => one !== null) ? { ...field, kind: 'group', fields } : null;
  }
}

/** The form of a schema; null when it asks for what a form cannot show. */
export function understand(schema: unknown): Field | null {
  return isObject(schema) ? new Reader(schema).field(schema, [], true) : null;
}

/** What a form begins with: defaults, and what has only one possible value. */
export function initialValue(field: Field): Json | undefined {
  if (field.initial !== undefined) return field.initial;
  if (field.kind === 'choice') return field.required && field.choices.length === 1 ? field.choices[0]!.value : undefined;
  if (field.kind === 'flag') return field.required ? false : undefined;
  if (field.kind !== 'group') return undefined;
  const made: JsonObject = {};
  for (const one of field.fields) {
    const value = initialValue(one);
    if (value !== undefined) made[one.path.at(-1)!] = value;
  }
  return field.required || Object.keys(made).length > 0 ? made : undefined;
}

export function valueAt(value: Json | undefined, path: readonly string[]): Json | undefined {
  let found: Json | undefined = value;
  for (const part of path) {
    if (Array.isArray(found)) found = found[Number(part)];
    else found = isObject(found) && Object.hasOwn(found, part) ? found[part] : undefined;
  }
  return found;
}

/**
 * The value with another one at `path`; undefined takes it away. Members that the form does not show stay.
 * A group that need not be there goes with its last member.
 */
export function withValue(field: Field, value: Json | undefined, path: readonly string[], next: Json | undefined): Json | undefined {
  if (path.length === 0) return next;
  const [key, ...rest] = path as [string, ...string[]];
  const child = field.fields.find((one) => one.path.at(-1) === key);
  const before = isObject(value) ? value : {};
  const inner = child ? withValue(child, before[key], rest, next) : next;
  const made = { ...before };
  if (inner === undefined) delete made[key];
  else made[key] = inner;
  return Object.keys(made).length === 0 && !field.required ? undefined : made;
}

function patternFits(pattern: string, value: string): boolean {
  for (const flags of ['u', '']) {
    try {
      return new RegExp(pattern, flags).test(value);
    } catch {
      // Not one of this dialect: the server knows.
    }
  }
  return true;
}

function wrongText(field: Field, value: string): string | null {
  const length = [...value].length;
  if (length < field.minLength) return field.minLength === 1 ? 'cannot be empty' : `needs at least ${field.minLength} characters`;
  if (field.maxLength !== null && length > field.maxLength) return `has ${length} characters, at most ${field.maxLength} are allowed`;
  if (field.pattern !== null && !patternFits(field.pattern, value)) return `has to look like ${field.pattern}`;
  return null;
}

function wrongNumber(field: Field, value: number): string | null {
  if (field.whole && !Number.isInteger(value)) return 'has to be a whole number';
  if (field.minimum !== null && value < field.minimum) return `has to be at least ${field.minimum}`;
  if (field.maximum !== null && value > field.maximum) return `has to be at most ${field.maximum}`;
  if (field.above !== null && value <= field.above) return `has to be more than ${field.above}`;
  if (field.below !== null && value >= field.below) return `has to be less than ${field.below}`;
  const times = field.multipleOf ? value / field.multipleOf : 0;
  return Math.abs(times - Math.round(times)) > 1e-9 ? `has to be a multiple of ${field.multipleOf}` : null;
}

function wrongList(field: Field, value: Json[]): string | null {
  if (value.length < field.minItems) return field.minItems === 1 ? 'needs at least one' : `needs at least ${field.minItems}`;
  if (field.maxItems !== null && value.length > field.maxItems) return `at most ${field.maxItems} are allowed`;
  if (field.unique && value.some((one, i) => value.findIndex((other) => same(one, other)) < i)) return 'has one twice';
  return null;
}

function wrongHere(field: Field, value: Json): string | null {
  switch (field.kind) {
    case 'choice': return field.choices.some((choice) => same(choice.value, value)) ? null : `has to be one of: ${field.choices.map((choice) => choice.label).join(', ')}`;
    case 'text': return typeof value === 'string' ? wrongText(field, value) : 'has to be text';
    case 'number': return typeof value === 'number' ? wrongNumber(field, value) : 'has to be a number';
    case 'flag': return typeof value === 'boolean' ? null : 'has to be true or false';
    case 'list': return Array.isArray(value) ? wrongList(field, value) : 'has to be a list';
    case 'group': return isObject(value) ? null : 'has to be an object';
  }
}

/** What is wrong with a value, by JSON pointer. */
export function problemsOf(field: Field, value: Json | undefined): Map<string, string> {
  const found = new Map<string, string>();
  const visit = (one: Field, at: Json | undefined, pointer: string) => {
    if (at === undefined) {
      if (one.required) found.set(pointer, 'is required');
      return;
    }
    const wrong = wrongHere(one, at);
    if (wrong) found.set(pointer, wrong);
    if (one.kind === 'list' && Array.isArray(at)) at.forEach((item, i) => visit(one.item!, item, `${pointer}/${i}`));
    if (one.kind !== 'group' || !isObject(at)) return;
    for (const child of one.fields) visit(child, at[child.path.at(-1)!], child.pointer);
    const strange = one.closed ? Object.keys(at).find((key) => !one.fields.some((child) => child.path.at(-1) === key)) : undefined;
    if (strange !== undefined && !wrong) found.set(pointer, `knows no "${strange}"`);
  };
  visit(field, value, '');
  return found;
}

/** Whether a pointer belongs to something that the form shows. */
export function shows(field: Field, pointer: string): boolean {
  if (field.pointer === pointer) return true;
  if (field.kind === 'list') return pointer.startsWith(`${field.pointer}/`);
  return field.fields.some((one) => shows(one, pointer));
}

export type Parsed = { value: Json | undefined } | { error: string };

/** JSON text as a value; nothing at all is no value. */
export function parse(from: string): Parsed {
  if (from.trim() === '') return { value: undefined };
  try {
    return { value: JSON.parse(from) as Json };
  } catch (error) {
    return { error: (error as Error).message };
  }
}
