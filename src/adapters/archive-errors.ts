import { shown } from '../core/archive/manifest.ts';
import { SuperOffloadError } from '../errors.ts';
import { FilterError } from './exec.ts';
import { storageError } from './files.ts';

export function noArchive(path: string, why: string): SuperOffloadError {
  return new SuperOffloadError({
    code: 'config',
    message: `${path} is no archive of runs: ${why}`,
    hint: 'archives are made by: superoffload runs export --archive FILE.tar.gz',
  });
}

export function changedFile(path: string): SuperOffloadError {
  return new SuperOffloadError({
    code: 'environment',
    message: `${path} changed while it was packed`,
    hint: 'export its run when nothing writes to it any more',
  });
}

export function nameTaken(archive: string): SuperOffloadError {
  return new SuperOffloadError({
    code: 'usage',
    message: `--archive ${archive}: there is a file of that name`,
    hint: 'give another name, or --force to replace it',
  });
}

/** What was compressed is not a tar. */
export class NotTar extends Error {}

/** It holds something that is neither a file nor a folder nor a link. */
export class NotPlain extends Error {}

/** The tar goes on after what may be read of it. */
export class TooLong extends Error {
  readonly bytes: number;

  constructor(bytes: number) {
    super();
    this.bytes = bytes;
  }
}

/** An archive that cannot be read is an input that is wrong; the words of the libraries are kept where they say why. */
export function readError(error: unknown, path: string): unknown {
  if (error instanceof SuperOffloadError) return error;
  if (error instanceof NotTar) return noArchive(path, 'what is compressed is no tar');
  if (error instanceof NotPlain) return noArchive(path, `${shown(error.message)} is no plain file`);
  if (error instanceof TooLong) {
    const message = `${path} holds more than its manifest says (over ${error.bytes} bytes of tar)`;
    return new SuperOffloadError({ code: 'config', message, hint: 'nothing of it was kept', cause: error });
  }
  const { code = '', tarCode, message } = error as NodeJS.ErrnoException & { readonly tarCode?: string };
  const isDamage = error instanceof FilterError || tarCode !== undefined || /^(Z|ZSTD)_/.test(code);
  if (isDamage) {
    return new SuperOffloadError({
      code: 'config',
      message: `${path} is cut or damaged: ${shown(message)}`,
      hint: 'nothing of it was kept; fetch it again and compare its sha256',
      cause: error,
    });
  }
  return storageError(error, path);
}

/** @returns what to say where neither Node nor the machine has zstd; undefined for another error. */
export function withoutZstd(error: unknown, path: string): SuperOffloadError | undefined {
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (code !== 'ENOENT' || syscall !== 'spawn zstd') return undefined;
  return new SuperOffloadError({
    code: 'environment',
    message: `${path} needs zstd: Node ${process.version} has none, and there is no program zstd`,
    hint: 'use a .tar.gz, install zstd, or use Node 22.15 or newer',
    cause: error,
  });
}
