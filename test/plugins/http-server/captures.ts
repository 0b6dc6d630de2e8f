import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export interface CapturedAnswer {
  readonly status: number;
  /** Names in lower case; without `date`, which differs each time. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The checkout, wherever the compiled tests lie. */
function root(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "package.json"))) folder = dirname(folder);
  return folder;
}

/** A captured file as it is; `path` is below `test/`. */
export function captureText(path: string): string {
  return readFileSync(join(root(), "test", path), "utf8");
}

/** What a real Mesos answered; `path` is below `test/`. */
export function captured(path: string): CapturedAnswer {
  const text = captureText(path).replaceAll("\r\n", "\n");
  const end = text.indexOf("\n\n");
  const [statusLine, ...lines] = text.slice(0, end).split("\n");
  const headers = Object.fromEntries(
    lines
      .map((line) => [
        line.slice(0, line.indexOf(":")).toLowerCase(),
        line.slice(line.indexOf(":") + 1).trim(),
      ])
      .filter(([name]) => name !== "date"),
  ) as Record<string, string>;
  const length = headers["content-length"];
  const body = text.slice(end + 2, length === undefined ? undefined : end + 2 + Number(length));
  return { status: Number(statusLine!.split(" ")[1]), headers, body };
}

/** An answer of ours in the same form. */
export async function answerOf(response: Response): Promise<CapturedAnswer> {
  const headers = Object.fromEntries([...response.headers].filter(([name]) => name !== "date"));
  return { status: response.status, headers, body: await response.text() };
}
