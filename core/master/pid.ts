/** The parts of an actor's address. */
export interface Pid {
  /** `slave(1)@10.0.0.1:5051`. */
  readonly text: string;
  readonly id: string;
  readonly ip: string;
  readonly port: number;
}

const FORM = /^([^@]*)@(.*):(\d+)$/;

/** Splits an address; missing parts are empty. */
export function parsePid(text: string): Pid {
  const [, id = "", ip = "", port = "0"] = FORM.exec(text) ?? [];
  return { text, id, ip, port: Number(port) };
}
