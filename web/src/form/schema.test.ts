import { describe, expect, it } from 'vitest';
import { initialValue, parse, problemsOf, shows, understand, valueAt, withValue, type Field, type Json } from './schema';

const release = {
  type: 'object', required: ['version', 'target'], additionalProperties: false,
  properties: {
    version: { type: 'string', pattern: '^\\d+\\.\\d+$', description: 'two numbers', minLength: 3 },
    channel: { enum: ['stable', 'beta'], default: 'stable' },
    copies: { type: 'integer', minimum: 1, maximum: 9 },
    ratio: { type: 'number', exclusiveMinimum: 0, multipleOf: 0.1 },
    loud: { type: 'boolean' },
    labels: { type: 'array', items: { type: 'string', minLength: 1 }, uniqueItems: true, maxItems: 2 },
    target: { $ref: '#/$defs/target' },
    owner: { type: 'object', properties: { name: { type: 'string' }, mail: { type: 'string' } }, required: ['name'] },
  },
  $defs: { target: { type: 'object', required: ['host', 'dry'], properties: { host: { type: 'string' }, 'a/b': { type: 'string' }, dry: { type: 'boolean' } } } },
};
const form = understand(release)!;
const find = (pointer: string, from: Field = form): Field | undefined => (from.pointer === pointer ? from : from.fields.map((one) => find(pointer, one)).find(Boolean));

describe('a form of a schema', () => {
  it('has a field for each property, two groups deep', () => {
    expect(form.fields.map((field) => [field.label, field.kind, field.required])).toEqual([
      ['Version', 'text', true], ['Channel', 'choice', false], ['Copies', 'number', false], ['Ratio', 'number', false],
      ['Loud', 'flag', false], ['Labels', 'list', false], ['Target', 'group', true], ['Owner', 'group', false],
    ]);
    expect(find('/target/a~1b')?.path).toEqual(['target', 'a/b']);
  });

  it('begins with defaults and with what has to be there', () => {
    expect(initialValue(form)).toEqual({ channel: 'stable', target: { dry: false } });
  });

  it.each<[string, unknown]>([
    ['a choice between shapes', { type: 'object', properties: { a: { oneOf: [{ type: 'object' }, { type: 'string' }] } } }],
    ['a condition', { type: 'object', properties: { a: { type: 'string' } }, if: {} }],
    ['a list of objects', { type: 'array', items: { type: 'object', properties: { a: { type: 'string' } } } }],
    ['a reference to elsewhere', { type: 'object', properties: { a: { $ref: 'https://example.org/a' } } }],
    ['a reference to itself', { type: 'object', properties: { a: { $ref: '#' } } }],
    ['an object of anything', { type: 'object' }],
    ['two types', { type: ['string', 'number'] }],
    ['nothing', true],
  ])('leaves %s to the text', (_, schema) => {
    expect(understand(schema)).toBeNull();
  });

  it('takes constants with titles as a choice, and a type or null as the type', () => {
    expect(understand({ oneOf: [{ const: 1, title: 'One' }, { const: 2 }] })?.choices).toEqual([{ value: 1, label: 'One' }, { value: 2, label: '2' }]);
    expect(understand({ type: ['string', 'null'] })?.kind).toBe('text');
  });
});

describe('what is wrong', () => {
  const wrong = (value: Json | undefined) => Object.fromEntries(problemsOf(form, value));
  it('is said at the field', () => {
    expect(wrong({ version: 'two', copies: 1.5, ratio: 0, labels: ['a', ''], target: { dry: 1 } })).toEqual({
      '/version': 'has to look like ^\\d+\\.\\d+$', '/copies': 'has to be a whole number', '/ratio': 'has to be more than 0',
      '/labels/1': 'cannot be empty', '/target/host': 'is required', '/target/dry': 'has to be true or false',
    });
    expect(wrong({ version: '2.4', channel: 'nightly', copies: 10, ratio: 0.3, labels: ['a', 'a'], target: { host: 'a', dry: true }, other: 1 })).toEqual({
      '/channel': 'has to be one of: stable, beta', '/copies': 'has to be at most 9', '/labels': 'has one twice', '': 'knows no "other"',
    });
  });
  it('is nothing in a group that need not be there, and is not', () => {
    expect(wrong({ version: '2.4', target: { host: 'a', dry: true } })).toEqual({});
    expect(wrong({ version: '2.4', target: { host: 'a', dry: true }, owner: { mail: 'x' } })).toEqual({ '/owner/name': 'is required' });
  });
  it('is that nothing is there', () => {
    expect(wrong(undefined)).toEqual({ '': 'is required' });
  });
  it('leaves a pattern that the browser does not know to the server', () => {
    expect(problemsOf(understand({ type: 'string', pattern: '(?<!a' })!, 'x').size).toBe(0);
  });
  it('lands at what the form shows', () => {
    expect(['/target/a~1b', '/labels/7', '/nothing', ''].map((pointer) => shows(form, pointer))).toEqual([true, true, false, true]);
  });
});

describe('changing a value', () => {
  it('keeps what the form does not show', () => {
    expect(withValue(form, { hidden: 1, target: { kept: 2 } }, ['target', 'host'], 'a')).toEqual({ hidden: 1, target: { kept: 2, host: 'a' } });
  });
  it('makes groups, and takes away those that need not be there', () => {
    const with_owner = withValue(form, {}, ['owner', 'mail'], 'x');
    expect(with_owner).toEqual({ owner: { mail: 'x' } });
    expect(withValue(form, with_owner, ['owner', 'mail'], undefined)).toEqual({});
    expect(withValue(form, { target: { host: 'a' } }, ['target', 'host'], undefined)).toEqual({ target: {} });
  });
  it('is not taken in by names of the language', () => {
    expect(valueAt({}, ['constructor'])).toBeUndefined();
    expect(valueAt({ a: [1, 2] }, ['a', '1'])).toBe(2);
  });
});

it('reads JSON, or says why not', () => {
  expect(parse('  ')).toEqual({ value: undefined });
  expect(parse('{"a":1}')).toEqual({ value: { a: 1 } });
  expect(parse('{')).toHaveProperty('error');
});
