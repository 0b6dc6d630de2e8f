export const QUOTA = `
## a limit cuts offers down, and is for all that the role holds
> quota dev limit=cpus:3;mem:512
> framework F roles=dev
> agent a1 cpus:2;mem:512;disk:100;ports:[1-9]
> agent a2 cpus:2;mem:512;disk:100
> count 1s
  F dev 2
> explain F
  dev NOTHING_FREE 1 a1
  dev QUOTA_LIMIT 1 a2 dev/cpus:3/3 dev/mem:512/512
> decline F for=3600
> wait 1s
  F dev a2 cpus:2; disk:100; mem:512

## a limit of nothing leaves what no limit names; reservations are never cut
> quota dev limit=cpus:0;mem:0
> framework F roles=dev least=dev/
> agent a cpus:2;mem:512;disk:100;cpus(dev):1
> wait 1s
  F dev a cpus(reservations: [(STATIC,dev)]):1; disk:100

## a limit holds for the roles below, too
> quota eng limit=cpus:1
> framework F roles=eng/web
> agent a1 cpus:1;mem:100
> agent a2 cpus:1;mem:100
> count 1s
  F eng/web 2

## reservations for the role count against its limit, held or not
> quota dev limit=cpus:3
> framework F roles=dev
> agent a1 cpus(dev):2
> agent-off a1
> agent a2 cpus:4;mem:100
> wait 1s
  F dev a2 cpus:1; mem:100

## a guarantee is kept free for a role that has no framework yet, and given to it when it has
> quota dev guarantee=cpus:2;mem:200
> framework F
> agent a1 cpus:1;mem:100;disk:10
> agent a2 cpus:1;mem:100;disk:10
> agent a3 cpus:1;mem:100;disk:10
> count 1s
  F * 1
> explain F
  * QUOTA_HEADROOM 2 a2,a3 dev/cpus:0/2 dev/mem:0/200
  * NOTHING_FREE 1 a1
> framework G roles=dev
> count 1s
  G dev 2

## what a guarantee still misses is served first, whatever the shares
> framework F roles=dev
> framework G
> quota dev guarantee=cpus:3;mem:300
> agent a1 cpus:4;mem:400;ports:[1-9] used=F:dev:cpus:1;mem:100
> wait 1s
  F dev a1 cpus:3; mem:300; ports:[1-9]

## a guarantee that the cluster cannot hold takes all there is
> quota dev guarantee=cpus:10;mem:1000
> framework F roles=dev
> framework G
> agent a1 cpus:1;mem:100
> agent a2 cpus:1;mem:100
> count 1s
  F dev 2

## what a role consumes of its guarantee in reservations needs not be kept free
> quota dev guarantee=cpus:2;mem:200
> framework F
> agent a1 cpus(dev):2;mem(dev):200;cpus:1;mem:100
> wait 1s
  F * a1 cpus:1; mem:100

## raised limits and ended tasks make room within an interval
> quota dev limit=cpus:1
> framework F roles=dev
> agent a1 cpus:1;mem:100
> agent a2 cpus:1;mem:100
> count 1s
  F dev 2
> decline F for=3600
> quota dev limit=cpus:2
> count 2s
  F dev 1
> quota dev
> revive F
> count 1s
  F dev 1

## after a failover with quota nothing is offered until four fifths of the agents are back
> recover-cluster 5 dev guarantee=cpus:1
> framework F roles=dev
> agent a1 cpus:1;mem:100
> agent a2 cpus:1;mem:100
> agent a3 cpus:1;mem:100
> wait 60s
> explain F
  dev PAUSED
  dev WAITING_FOR_TURN 3 a1,a2,a3
> agent a4 cpus:1;mem:100
> count 1s
  F dev 4

## ... or ten minutes have passed
> recover-cluster 5 dev guarantee=cpus:1
> framework F roles=dev
> agent a1 cpus:1;mem:100
> wait 599s
> wait 2s
  F dev a1 cpus:1; mem:100

## without quota nothing is waited for
> recover-cluster 5
> framework F
> agent a1 cpus:1;mem:100
> wait 1s
  F * a1 cpus:1; mem:100

## a pause holds offers back
> pause
> framework F
> agent a1 cpus:1;mem:100
> wait 3s
> resume
> wait 1s
  F * a1 cpus:1; mem:100
`;
