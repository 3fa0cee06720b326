// The page at `/docs`: shows /openapi.json, which the server makes from its code.
'use strict';

const $ = (id) => document.getElementById(id);
const ORDER = ['post', 'get', 'put', 'patch', 'delete'];
let api;

/** Makes an element: attributes, then children; text is never read as HTML. */
function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== false) element.setAttribute(key, value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return element;
}

/** Text with `code` in it. */
function prose(text) {
  return (text || '').split(/(`[^`]+`)/).filter(Boolean).map((part) =>
    part.startsWith('`') ? make('code', {}, part.slice(1, -1)) : part);
}

function paragraphs(text) {
  return (text || '').split(/\n\s*\n/).filter(Boolean).map((part) => make('p', {}, prose(part)));
}

function resolve(schema) {
  const name = schema && schema.$ref && schema.$ref.split('/').pop();
  return name ? { ...api.components.schemas[name], name } : schema || {};
}

/** What kind of value a schema means, in words. */
function kind(schema) {
  if (!schema || schema === true) return 'any value';
  if (schema.$ref) return schema.$ref.split('/').pop();
  const choices = schema.oneOf || schema.anyOf;
  if (choices) {
    const kinds = choices.map(kind);
    return kinds.filter((one, index) => kinds.indexOf(one) === index).join(' or ');
  }
  if (schema.enum) return schema.enum.map((word) => JSON.stringify(word)).join(', ');
  const types = [].concat(schema.type || 'any value').map((type) => {
    if (type === 'array') return `list of ${kind(schema.items)}`;
    if (type === 'string' && schema.format) return schema.format;
    return type;
  });
  return types.join(' or ');
}

function limits(schema) {
  const said = [];
  if (schema.minimum !== undefined && schema.maximum !== undefined) {
    said.push(`${schema.minimum} to ${schema.maximum}`);
  }
  if (schema.maxItems) said.push(`at most ${schema.maxItems}`);
  if (schema.default !== undefined) said.push(`usually ${JSON.stringify(schema.default)}`);
  return said.length ? ` (${said.join('; ')})` : '';
}

/** The fields of an object as a list of terms. */
function fields(schema, depth = 0) {
  const whole = resolve(schema);
  if (whole.type === 'array' && whole.items) return fields(whole.items, depth);
  const properties = Object.entries(whole.properties || {});
  if (!properties.length) return null;
  return make('dl', { class: 'fields' }, properties.map(([name, property]) => {
    const known = resolve((property.oneOf || []).find((one) => one.$ref) || property);
    const isNeeded = (whole.required || []).includes(name);
    return make('div', {},
      make('dt', {}, make('code', {}, name)),
      make('dd', {},
        make('b', {}, kind(property) + limits(property) + (isNeeded ? '' : ', optional')), ' ',
        prose(property.description || known.description),
        depth < 1 && known.properties ? fields(known, depth + 1) : null,
        depth < 1 && property.items ? fields(property.items, depth + 1) : null));
  }));
}

function examples(content) {
  const all = content.examples
    ? Object.entries(content.examples).map(([name, example]) => [name, example.value])
    : content.example !== undefined ? [['', content.example]] : [];
  return all.map(([name, value]) => [
    name ? make('p', { class: 'note' }, name) : null,
    make('pre', {}, typeof value === 'string' ? value : JSON.stringify(value, null, 2)),
  ]);
}

function curl(method, path, operation) {
  const body = operation.requestBody && operation.requestBody.content['application/json'];
  const needed = (operation.parameters || []).filter((one) => one.in === 'query' && one.required);
  const query = needed.map((one) => `${one.name}=${one.example || 'ID'}`).join('&');
  const parts = ['curl'];
  if (method !== 'get' && !body) parts.push(`-X ${method.toUpperCase()}`);
  parts.push(`'${location.origin}${path}${query ? `?${query}` : ''}'`);
  if (body) {
    parts.push("-H 'Content-Type: application/json'", `-d '${JSON.stringify(body.example ?? {})}'`);
  }
  return make('pre', {}, parts.join(' '));
}

function parameters(operation) {
  if (!(operation.parameters || []).length) return [];
  return [
    make('h4', {}, 'Parameters'),
    make('dl', { class: 'fields' }, operation.parameters.map((one) => make('div', {},
      make('dt', {}, make('code', {}, one.name)),
      make('dd', {}, make('b', {}, `${one.in}, ${kind(one.schema)}${one.required ? '' : ', optional'}`),
        ' ', prose(one.description))))),
  ];
}

function body(operation) {
  if (!operation.requestBody) return [];
  return Object.entries(operation.requestBody.content).map(([type, content]) => [
    make('h4', {}, `Body: ${type}`),
    fields(content.schema || {}) || make('p', { class: 'note' }, kind(content.schema)),
  ]);
}

function answers(operation) {
  return [make('h4', {}, 'Answers'), ...Object.entries(operation.responses).map(([status, one]) => {
    const content = Object.values(one.content || {})[0];
    const table = content && fields(content.schema || {});
    return make('div', { class: 'answer' },
      make('details', {},
        make('summary', {}, make('span', { class: `status s${status[0]}` }, status),
          prose(one.description)),
        content ? examples(content) : null, table || null));
  })];
}

function operation(method, path, it) {
  return make('section', { class: 'panel operation', id: it.operationId },
    make('header', {}, make('h3', { class: 'name' }, it.summary || it.operationId),
      make('span', { class: `method ${method}` }, method.toUpperCase()),
      make('code', { class: 'path' }, path)),
    paragraphs(it.description), make('h4', {}, 'From a terminal'), curl(method, path, it),
    parameters(it), body(it), answers(it));
}

function draw() {
  const all = Object.entries(api.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, it]) => ({ method, path, it })))
    .sort((a, b) => ORDER.indexOf(a.method) - ORDER.indexOf(b.method)
      || a.path.length - b.path.length);
  const book = [make('section', { class: 'lead' }, make('h1', {}, `${api.info.title} API`),
    make('p', {}, prose(api.info.description),
      ` Version ${api.info.version}. Errors are problem documents (RFC 9457); the source documents’ own routes keep their own shapes.`))];
  const index = [];
  for (const tag of api.tags) {
    const mine = all.filter(({ it }) => (it.tags || []).includes(tag.name));
    if (!mine.length) continue;
    book.push(make('h2', {}, tag.name[0].toUpperCase() + tag.name.slice(1)),
      make('p', {}, tag.description));
    index.push(make('h3', {}, tag.name[0].toUpperCase() + tag.name.slice(1)));
    for (const { method, path, it } of mine) {
      book.push(operation(method, path, it));
      index.push(make('a', { href: `#${it.operationId}` }, it.summary || it.operationId));
    }
  }
  $('book').replaceChildren(...book);
  $('index').replaceChildren(...index);
  if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
}

fetch('/openapi.json')
  .then((answer) => answer.json())
  .then((document) => { api = document; draw(); })
  .catch((error) => $('book').replaceChildren(make('p', {}, `The API cannot be described: ${error.message}`)));
