export const MAINTENANCE = `
## whoever holds something on an agent that will be down is asked once, until it answers
> framework F
> agent a1 cpus:1;mem:100
> agent a2 cpus:1;mem:100
> wait 1s
  F * a1 cpus:1; mem:100
  F * a2 cpus:1; mem:100
> down a1 100
> wait 3s
  F asked about a1
> answers
> answer F a1 decline for=60
> answers
  a1 F decline
> wait 50s
> wait 20s
  F asked about a1
> answer F a1 accept
> answers
  a1 F accept
> down a1 never
> answers
> wait 2s

## an agent may come with maintenance, which is no obstacle to offers
> framework F
> agent a cpus:1;mem:100 down=100
> wait 2s
  F * a cpus:1; mem:100
  F asked about a
> explain F
  * NOTHING_FREE 1 a

## a new plan, and a revival, ask again
> framework F
> agent a cpus:1;mem:100 down=100
> wait 2s
  F * a cpus:1; mem:100
  F asked about a
> answer F a decline for=3600
> wait 2s
> revive F
> wait 2s
  F asked about a
> answer F a decline for=3600
> down a 200
> wait 2s
  F asked about a

## frameworks that are not active are not asked
> framework F
> agent a cpus:1;mem:100
> wait 1s
  F * a cpus:1; mem:100
> deactivate F
> down a 100
> wait 2s
> activate F
> wait 2s
  F asked about a

## nobody is asked about an agent that is off: nobody could answer
> framework F
> agent a cpus:1;mem:100
> wait 1s
  F * a cpus:1; mem:100
> agent-off a
> down a 100
> wait 2s
> agent-on a
> wait 2s
  F asked about a

## an inverse offer that is rescinded is made again
> framework F
> agent a cpus:1;mem:100 down=100
> wait 2s
  F * a cpus:1; mem:100
  F asked about a
> answer F a nothing
> wait 2s
  F asked about a
`;
