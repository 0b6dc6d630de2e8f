export const REFUSALS = `
## a refusal holds back what was refused and less of it, from the one who refused, until it ends
> framework F
> agent a cpus:4;mem:400
> wait 1s
  F * a cpus:4; mem:400
> decline F for=5
> wait 4900ms
> explain F
  * FILTERED 1 a
> wait 2s
  F * a cpus:4; mem:400
> decline F for=3600
> total a cpus:2;mem:400
> wait 2s
> total a cpus:5;mem:400
> wait 2s
  F * a cpus:5; mem:400

## a refusal is of a role
> framework F roles=x,y suppressed=y
> agent a cpus:4;mem:400
> wait 1s
  F x a cpus:4; mem:400
> decline F for=3600
> revive F y
> wait 1s
  F y a cpus:4; mem:400

## without a time for the refusal there is none, and a negative one is the default of five seconds
> framework F
> agent a cpus:4;mem:400
> wait 1s
  F * a cpus:4; mem:400
> decline F for=0
> wait 1s
  F * a cpus:4; mem:400
> decline F for=-3
> wait 4900ms
> wait 1s
  F * a cpus:4; mem:400

## reviving ends refusals and suppression of the roles that it names
> framework F roles=x,y
> agent a1 cpus:1;mem:100
> agent a2 cpus:1;mem:100
> suppress F x
> wait 1s
  F y a1 cpus:1; mem:100
  F y a2 cpus:1; mem:100
> suppress F
> decline F for=3600
> wait 2s
> explain F
  x SUPPRESSED
  x WAITING_FOR_TURN 2 a1,a2
  y SUPPRESSED
  y FILTERED 2 a1,a2
> revive F x
> wait 1s
  F x a1 cpus:1; mem:100
  F x a2 cpus:1; mem:100
> decline F for=3600
> revive F
> suppress F x
> wait 1s
  F y a1 cpus:1; mem:100
  F y a2 cpus:1; mem:100

## changed attributes end refusals of the agent
> framework F
> agent a cpus:1;mem:100 rack=r1
> wait 1s
  F * a cpus:1; mem:100
> decline F for=3600
> wait 1s
> attributes a rack=r2
> wait 1s
  F * a cpus:1; mem:100

## the least offer is cpus:0.01 or mem:32, or what the framework says for the role; nothing said means anything
> framework F
> framework G least=*/disk:50
> framework H least=*/
> agent a1 cpus:0.001;mem:31.9
> agent a2 disk:100
> agent a3 cpus:0.01
> suppress H
> wait 1s
  F * a3 cpus:0.01
  G * a2 disk:100
> explain F
  * NOTHING_FREE 2 a2,a3
  * TOO_SMALL 1 a1
> revive H
> wait 1s
  H * a1 cpus:0.001; mem:31.9
`;
