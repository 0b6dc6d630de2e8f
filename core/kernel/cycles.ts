/**
 * One shortest cycle for each group of nodes that can reach each other, as a list of nodes; a node that points to itself is a cycle of one.
 */
export function findCycles<N>(nodes: readonly N[], next: (node: N) => Iterable<N>): N[][] {
  return components(nodes, next).flatMap((component) => {
    const members = new Set(component);
    // Start with the first node of the manifest, so that the message does not depend on the order of the search.
    const first = nodes.find((node) => members.has(node))!;
    const circle = shortestCircle<N>(first, (node) => [...next(node)].filter((other) => members.has(other)));
    return circle === undefined ? [] : [circle];
  });
}

/** Strongly connected components, by Tarjan's algorithm. */
function components<N>(nodes: readonly N[], next: (node: N) => Iterable<N>): N[][] {
  const order = new Map<N, number>();
  const low = new Map<N, number>();
  const stack: N[] = [];
  const onStack = new Set<N>();
  const found: N[][] = [];

  const visit = (node: N): void => {
    order.set(node, order.size);
    low.set(node, order.get(node)!);
    stack.push(node);
    onStack.add(node);
    for (const other of next(node)) {
      if (!order.has(other)) {
        visit(other);
        low.set(node, Math.min(low.get(node)!, low.get(other)!));
      } else if (onStack.has(other)) {
        low.set(node, Math.min(low.get(node)!, order.get(other)!));
      }
    }
    if (low.get(node) !== order.get(node)) return;
    const component: N[] = [];
    let member: N;
    do {
      member = stack.pop()!;
      onStack.delete(member);
      component.push(member);
    } while (member !== node);
    found.push(component);
  };

  for (const node of nodes) if (!order.has(node)) visit(node);
  return found;
}

function shortestCircle<N>(start: N, next: (node: N) => Iterable<N>): N[] | undefined {
  const cameFrom = new Map<N, N>();
  const queue: N[] = [start];
  for (const node of queue) {
    for (const other of next(node)) {
      if (other === start) {
        const circle: N[] = [node];
        while (circle[0] !== start) circle.unshift(cameFrom.get(circle[0]!)!);
        return circle;
      }
      if (cameFrom.has(other)) continue;
      cameFrom.set(other, node);
      queue.push(other);
    }
  }
  return undefined;
}
