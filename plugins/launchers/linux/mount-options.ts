import type { ContainerMount } from "../../../sdk/contracts/contribution.js";

const MS_REC = 0x4000;
const MS_BIND = 0x1000;

interface Word {
  /** Flag of mount(2). */
  readonly flag?: number;
  /** The same as attribute of mount_setattr(2), which goes for bind mounts. */
  readonly attribute?: number;
  /** Takes the flag back. */
  readonly off?: true;
  readonly propagation?: number;
}

const ATIME = 0x70;

const WORDS: Readonly<Record<string, Word>> = {
  defaults: {},
  bind: {},
  rbind: {},
  ro: { flag: 1, attribute: 1 },
  rw: { flag: 1, attribute: 1, off: true },
  nosuid: { flag: 2, attribute: 2 },
  suid: { flag: 2, attribute: 2, off: true },
  nodev: { flag: 4, attribute: 4 },
  dev: { flag: 4, attribute: 4, off: true },
  noexec: { flag: 8, attribute: 8 },
  exec: { flag: 8, attribute: 8, off: true },
  sync: { flag: 16 },
  async: { flag: 16, off: true },
  remount: { flag: 32 },
  dirsync: { flag: 128 },
  nosymfollow: { flag: 256, attribute: 0x200000 },
  noatime: { flag: 1024, attribute: 0x10 },
  atime: { flag: 1024, attribute: 0x10, off: true },
  nodiratime: { flag: 2048, attribute: 0x80 },
  diratime: { flag: 2048, attribute: 0x80, off: true },
  relatime: { flag: 1 << 21, attribute: 0 },
  strictatime: { flag: 1 << 24, attribute: 0x20 },
  silent: { flag: 32_768 },
  unbindable: { propagation: 1 << 17 },
  private: { propagation: 1 << 18 },
  slave: { propagation: 1 << 19 },
  shared: { propagation: 1 << 20 },
  runbindable: { propagation: (1 << 17) | MS_REC },
  rprivate: { propagation: (1 << 18) | MS_REC },
  rslave: { propagation: (1 << 19) | MS_REC },
  rshared: { propagation: (1 << 20) | MS_REC },
};

/** A mount as the kernel is asked for it. */
export interface KernelMount {
  readonly flags: number;
  /** Of bind mounts: attributes set and taken away afterwards, below it too where it is recursive. */
  readonly set: number;
  readonly clear: number;
  readonly propagation: number;
  /** For the file system. */
  readonly data: string;
}

/** What mount(8) would make of these words; those that it does not know are for the file system. */
export function kernelMount({ type, options = [] }: ContainerMount): KernelMount {
  const isBind = type === undefined;
  let flags = isBind ? MS_BIND | (options.includes("rbind") ? MS_REC : 0) : 0;
  let set = 0;
  let clear = 0;
  let propagation = 0;
  const data: string[] = [];
  for (const option of options) {
    const word = Object.hasOwn(WORDS, option) ? WORDS[option] : undefined;
    if (word === undefined) data.push(option);
    else if (word.propagation !== undefined) propagation = word.propagation;
    else if (isBind && word.attribute !== undefined) {
      const bits = word.attribute;
      if (isAtime(option)) clear |= ATIME;
      if (word.off === true) [set, clear] = [set & ~bits, clear | bits];
      else set |= bits;
    } else if (word.flag !== undefined) {
      flags = word.off === true ? flags & ~word.flag : flags | word.flag;
    }
  }
  return { flags, set, clear, propagation, data: data.join(",") };
}

/** How access times are kept is one choice of several, which is cleared as a whole. */
const isAtime = (option: string): boolean => ["noatime", "atime", "relatime", "strictatime"].includes(option);
