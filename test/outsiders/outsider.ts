import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface Outcome {
  /** Exit status; null when the process had to be killed. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const python = ['python3', 'python'].find((name) => {
  const answer = spawnSync(name, ['-c', 'import sys; print(sys.version_info[0])'], { encoding: 'utf8' });
  return answer.status === 0 && answer.stdout.trim() === '3';
});

const compiler =
  process.platform === 'win32'
    ? undefined
    : ['cc', 'gcc', 'clang'].find((name) => spawnSync(name, ['--version']).status === 0);

/** Why the Python clients cannot run here; undefined when they can. */
export const noPython = python === undefined ? 'Python 3 is not installed' : undefined;

/** Why the C client cannot run here; undefined when it can. */
export const noCompiler = compiler === undefined ? 'no C compiler with BSD sockets is installed' : undefined;

/** Runs one of the Python clients of this folder to its end, with `input` on its standard input. */
export function runPython(script: string, words: readonly string[], input = ''): Promise<Outcome> {
  if (python === undefined) throw new Error('Python 3 is not installed: skip the test by `noPython`');
  return run(python, [beside(script), ...words], input);
}

/** Compiles the C client to `program`; warnings are errors. */
export function compileC(source: string, program: string): void {
  if (compiler === undefined) throw new Error('no C compiler is installed: skip the test by `noCompiler`');
  execFileSync(compiler, [
    '-std=c99',
    '-pedantic',
    '-Wall',
    '-Wextra',
    '-Werror',
    '-o',
    program,
    beside(source),
  ]);
}

export function run(program: string, words: readonly string[], input = ''): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = execFile(program, words, { timeout: 60_000 }, (error, stdout, stderr) => {
      const status = error === null ? 0 : typeof error.code === 'number' ? error.code : null;
      resolve({ status, stdout, stderr });
    });
    // A client that ends before it has read everything is no error of ours.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}

function beside(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}
