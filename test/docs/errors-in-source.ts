import { readdirSync, readFileSync } from 'node:fs';
import ts from 'typescript';

/** Built in, but its text is ours. */
const FOREIGN = ['Error', 'TypeError', 'RangeError', 'DOMException', 'InvalidArgumentError'];

/** Made of a code, which says it all; what its class makes of that stands in the class. */
const CODED = ['MessageLogError', 'LogFault', 'AccountsFileError'];

/** Words to branch on, by the type or the constant that declares them. */
const CODES = [
  'ERROR_CODES',
  'MessageLogErrorCode',
  'AccountsFileProblem',
  'Refusal',
  'EndCause',
  'ADVICE',
  'EXIT',
];

/** What the sources say about the errors that somebody may meet. */
export interface ErrorsInSource {
  /** Classes of our own. */
  readonly classes: ReadonlySet<string>;
  /** Classes that give their errors no `code`. */
  readonly codeless: ReadonlySet<string>;
  /** Codes, problems, kinds. */
  readonly codes: ReadonlySet<string>;
  /** Texts; `…` stands for what is filled in. */
  readonly messages: ReadonlySet<string>;
}

/** Reads every error out of the syntax of `src`. */
export function errorsInSource(): ErrorsInSource {
  const root = new URL('../../src/', import.meta.url);
  const found = {
    classes: new Set<string>(),
    codeless: new Set<string>(),
    codes: new Set<string>(),
    messages: new Set<string>(),
  };
  const sources = readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => {
      const text = readFileSync(new URL(path.replaceAll('\\', '/'), root), 'utf8');
      return ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
    });
  for (const source of sources) {
    each(source, (node) => {
      const name = errorClassOf(node);
      found.classes.add(name);
      const coded =
        ts.isClassDeclaration(node) && node.members.some((member) => member.name?.getText() === 'code');
      if (name !== '' && !coded) found.codeless.add(name);
    });
  }
  found.classes.delete('');
  const classes = new Set([...found.classes, ...FOREIGN].filter((name) => !CODED.includes(name)));
  for (const source of sources) {
    each(source, (node) => {
      for (const text of textsOf(node, classes))
        if (/[a-z]{2}/i.test(text)) found.messages.add(text.replaceAll('\n', ' '));
      for (const code of codesOf(node)) found.codes.add(code);
    });
  }
  return found;
}

function each(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node);
  ts.forEachChild(node, (child) => each(child, visit));
}

function errorClassOf(node: ts.Node): string {
  if (!ts.isClassDeclaration(node)) return '';
  const extended = node.heritageClauses?.find(({ token }) => token === ts.SyntaxKind.ExtendsKeyword);
  return extended?.types.some(({ expression }) => /Error$/.test(expression.getText()))
    ? (node.name?.text ?? '')
    : '';
}

/** What is said where an error is made: by `new`, by `super` of its class, or by the table that the dialect keeps. */
function textsOf(node: ts.Node, classes: ReadonlySet<string>): string[] {
  if (ts.isNewExpression(node) && classes.has(node.expression.getText())) {
    const given = node.arguments ?? [];
    const text = node.expression.getText() === 'DialectError' ? given.at(-1) : given[0];
    return text === undefined ? [] : [textOf(text)];
  }
  if (ts.isCallExpression(node) && /^(super|refuse)$/.test(node.expression.getText())) {
    if (node.expression.getText() === 'refuse')
      return isDialect(node) ? node.arguments.slice(1).map(textOf) : [];
    const holder = ts.findAncestor(node, ts.isClassDeclaration);
    const [text] = node.arguments;
    return holder !== undefined && errorClassOf(holder) !== '' && text !== undefined ? [textOf(text)] : [];
  }
  return isDialect(node) && ts.isPropertyAssignment(node) && /WAYS_OUT/.test(node.parent.parent.getText())
    ? [textOf(node.initializer)]
    : [];
}

function isDialect(node: ts.Node): boolean {
  return node.getSourceFile().fileName.endsWith('dialect.ts');
}

/** A literal, `…` for everything that is filled in. */
function textOf(node: ts.Expression): string {
  if (ts.isStringLiteralLike(node)) return node.text;
  if (ts.isTemplateExpression(node))
    return node.head.text + node.templateSpans.map(({ literal }) => `…${literal.text}`).join('');
  const named = ts.isIdentifier(node) ? constant(node.getSourceFile(), node.text) : undefined;
  if (named?.initializer !== undefined && ts.isStringLiteralLike(named.initializer))
    return named.initializer.text;
  return ts.isBinaryExpression(node) ? textOf(node.left) + textOf(node.right) : '…';
}

function codesOf(node: ts.Node): string[] {
  if (ts.isTypeAliasDeclaration(node) && CODES.includes(node.name.text)) {
    if (!ts.isUnionTypeNode(node.type)) return keysOf(constant(node.getSourceFile(), 'ADVICE'));
    return node.type.types.map((member) => member.getText().replaceAll("'", ''));
  }
  return ts.isVariableDeclaration(node) && CODES.includes(node.name.getText()) ? keysOf(node) : [];
}

function constant(source: ts.SourceFile, name: string): ts.VariableDeclaration | undefined {
  let found: ts.VariableDeclaration | undefined;
  each(source, (node) => {
    if (ts.isVariableDeclaration(node) && node.name.getText() === name) found ??= node;
  });
  return found;
}

function keysOf(node: ts.Node | undefined): string[] {
  const keys: string[] = [];
  if (node === undefined) return keys;
  each(node, (part) => {
    if (ts.isPropertyAssignment(part)) keys.push(part.name.getText().replaceAll("'", ''));
  });
  return keys;
}
