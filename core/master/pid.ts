/** An actor's address in its parts. */
export interface Pid {
  /** `slave(1)@10.0.0.1:5051`. */
  readonly text: string;
  readonly id: string;
  readonly ip: string;
  readonly port: number;
}

const FORM = /^([^@]*)@(.*):(\d+)$/;

/** Takes an address apart; parts that are not there are empty. */
export function parsePid(text: string): Pid {
  const [, id = "", ip = "", port = "0"] = FORM.exec(text) ?? [];
  return { text, id, ip, port: Number(port) };
}
