/**
 * Scenarios of the master as text:
 *
 *     # A comment.
 *     > subscribe F roles=dev
 *       allocator: add framework M-0000 roles=dev active=true
 *       F <- SUBSCRIBED M-0000
 *
 * A line with `>` is something that happens (player.ts, scheduler-commands.ts and agent-commands.ts say what there is). The lines below it, up to the next command, are
 * everything that the master then does, in order: events to schedulers, messages to agents, what it tells the allocator. `M` stands for
 * the id of the master, `N` for that of its successor. Pings and heartbeats are not shown.
 */
interface Step {
  /** Comments and empty lines before the command, as they are. */
  readonly preface: readonly string[];
  readonly command: string;
  readonly expected: readonly string[];
}

export interface Scenario {
  readonly steps: readonly Step[];
  /** What follows the last step. */
  readonly ending: readonly string[];
}

export function parseScenario(text: string): Scenario {
  const steps: { preface: string[]; command: string; expected: string[] }[] = [];
  let preface: string[] = [];
  for (const line of text.split("\n")) {
    if (line.startsWith("> ")) {
      steps.push({ preface, command: line.slice(2), expected: [] });
      preface = [];
    } else if (line.startsWith("  ")) {
      const step = steps.at(-1);
      if (step === undefined) throw new Error(`an outcome before the first command: ${line}`);
      step.expected.push(line.trim());
    } else {
      preface.push(line);
    }
  }
  return { steps, ending: preface };
}

/** The scenario with other outcomes, in the form in which it is written. */
export function formatScenario(
  { steps, ending }: Scenario,
  outcomes: readonly (readonly string[])[],
): string {
  const lines: string[] = [];
  for (const [index, { preface, command }] of steps.entries()) {
    lines.push(...preface, `> ${command}`, ...(outcomes[index] ?? []).map((line) => `  ${line}`));
  }
  return [...lines, ...ending].join("\n");
}
