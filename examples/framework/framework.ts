// A framework over gRPC: runs a command a few times and prints what becomes of it.
//   node dist/examples/framework/framework.js [master] [count] [command]
import { isTerminal, resourceList, SchedulerClient, TaskState } from "tepui/sdk";

const [master = "127.0.0.1:5055", count = "3", command = "echo hello"] = process.argv.slice(2);
const waiting = Array.from({ length: Number(count) }, (_, number) => `task-${number}`);
const ended = new Map<string | undefined, TaskState>();

await using client = new SchedulerClient({ master, transport: "grpc", framework: { name: "example" } });

for await (const event of client.events()) {
  if (event.type === "offers") {
    for (const offer of event.offers) {
      const id = waiting.shift();
      if (id === undefined) void client.decline(offer, { refuse_seconds: 60 });
      else void client.launch(offer, [task(id)], { refuse_seconds: 0 });
    }
  } else if (event.type === "update") {
    const { message, state = TaskState.TASK_UNKNOWN, task_id } = event.status;
    console.log(task_id?.value, TaskState[state], message ?? "");
    if (isTerminal(state)) ended.set(task_id?.value, state);
    if (ended.size === Number(count)) break;
  }
}
process.exitCode = [...ended.values()].every((state) => state === TaskState.TASK_FINISHED) ? 0 : 1;

function task(id: string) {
  return {
    name: id,
    task_id: { value: id },
    command: { value: command },
    resources: resourceList("cpus:0.1;mem:32"),
  };
}
