import type { Value } from '../database.ts';
import type { SObject } from '../schema.ts';
import type { Condition } from './rule.ts';
import type { Saving } from './saving.ts';

/** A record that conditions look at: a draft, or a row that is there. */
export interface Subject {
  readonly object: SObject;
  get(field: string): Value;
  isChanged(field: string): boolean;
}

/** A row as it stands. */
export function rowSubject(object: SObject, cell: (field: string) => Value): Subject {
  return { object, get: cell, isChanged: () => false };
}

export function holds(saving: Saving, condition: Condition, subject: Subject): boolean {
  if ('all' in condition) return condition.all.every((each) => holds(saving, each, subject));
  if ('any' in condition) return condition.any.some((each) => holds(saving, each, subject));
  if ('not' in condition) return !holds(saving, condition.not, subject);
  if ('is' in condition && condition.is === 'changed') return subject.isChanged(condition.field);
  const value = valueAt(saving, subject, condition.field);
  if ('is' in condition) return (value === null) === (condition.is === 'blank');
  if ('matches' in condition) return value !== null && new RegExp(condition.matches, 'u').test(String(value));
  const { equals } = condition;
  return Array.isArray(equals) ? equals.includes(value) : value === equals;
}

function valueAt(saving: Saving, subject: Subject, path: string): Value {
  const dot = path.indexOf('.');
  if (dot < 0) return subject.get(subject.object.field(path)?.name ?? path);
  const reference = subject.object.relationship(path.slice(0, dot));
  const id = reference ? subject.get(reference.name) : null;
  const found = typeof id === 'string' ? saving.find(id, reference!.referenceTo ?? []) : undefined;
  if (!found) return null;
  const parent = rowSubject(found.object, (field) => found.rows.cell(found.number, field));
  return valueAt(saving, parent, path.slice(dot + 1));
}
