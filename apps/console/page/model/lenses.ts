/** How log lines, traces and calls of models are searched. */
import type { AiCall } from './ai.ts';
import { anywhereIn, fieldAt, type Lens } from './filter.ts';
import { endingOf } from './kind.ts';
import { routeOf, type Trace } from './spans.ts';
import type { Attribute, LogRecord } from './wire.ts';

export const logLens: Lens<LogRecord> = {
  contains(line, word) {
    if (line.message.toLowerCase().includes(word) || line.logger.toLowerCase().includes(word)) return true;
    return line.traceId === word || anywhereIn(line.fields, word);
  },
  field(line, key) {
    switch (key) {
      case 'level':
        return line.level;
      case 'logger':
        return line.logger;
      case 'message':
        return line.message;
      case 'service':
        return line.service;
      case 'trace_id':
      case 'trace':
        return line.traceId;
      case 'span_id':
      case 'span':
        return line.spanId;
      default:
        return fieldAt(line.fields, key);
    }
  },
};

export const traceLens: Lens<Trace> = {
  contains(trace, word) {
    if (trace.id === word) return true;
    return trace.spans.some(
      ({ name, attributes }) => name.toLowerCase().includes(word) || anywhereIn(attributes, word),
    );
  },
  field(trace, key) {
    const { root } = trace;
    switch (key) {
      case 'duration':
        return trace.duration;
      case 'spans':
        return trace.spans.length;
      case 'errors':
        return trace.errors;
      case 'status':
        return trace.errors > 0 ? 'error' : root === undefined ? 'success' : endingOf(root);
      case 'service':
        return trace.services;
      case 'name':
        return root?.name;
      case 'route':
        return root === undefined ? undefined : routeOf(root);
      case 'kind':
        return Object.keys(trace.kinds);
      case 'trace':
      case 'trace_id':
        return trace.id;
      default:
        return attributeAnywhere(trace, key);
    }
  },
};

function attributeAnywhere({ spans }: Trace, key: string): Attribute | undefined {
  const found = new Set<Attribute>();
  for (const { attributes } of spans) {
    const value = fieldAt(attributes, key);
    if (value !== undefined) found.add(value);
  }
  return found.size === 0 ? undefined : [...found];
}

export const callLens: Lens<AiCall> = {
  contains({ span, model, provider, operation }, word) {
    return (
      [model, provider, operation].some((text) => text.toLowerCase().includes(word)) ||
      anywhereIn(span.attributes, word)
    );
  },
  field(call, key) {
    switch (key) {
      case 'model':
        return call.model;
      case 'provider':
        return call.provider;
      case 'operation':
        return call.operation;
      case 'status':
        return call.ending;
      case 'duration':
        return call.duration;
      case 'first_chunk':
        return call.firstChunk;
      case 'input':
        return call.input;
      case 'output':
        return call.output;
      case 'cost':
        return call.cost;
      case 'service':
        return call.span.service;
      default:
        return fieldAt(call.span.attributes, key);
    }
  },
};
