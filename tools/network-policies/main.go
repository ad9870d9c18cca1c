// Answers who may talk to whom: reads policies, peers by name and questions as JSON, and writes one verdict per question.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/mattfenwick/cyclonus/pkg/matcher"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
)

func main() {
	var input struct {
		Policies  []*networking.NetworkPolicy
		Peers     map[string]*matcher.TrafficPeer
		Questions []struct {
			From, To string
			Port     int
			Protocol core.Protocol
		}
	}
	decoder := json.NewDecoder(os.Stdin)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&input); err != nil {
		fail(err)
	}
	rules := matcher.BuildNetworkPolicies(false, input.Policies)
	verdicts := make([]bool, len(input.Questions))
	for index, question := range input.Questions {
		from, to := input.Peers[question.From], input.Peers[question.To]
		if from == nil || to == nil {
			fail(fmt.Errorf("question %d is about an unknown peer: %+v", index, question))
		}
		traffic := &matcher.Traffic{Source: from, Destination: to, ResolvedPort: question.Port, Protocol: question.Protocol}
		verdicts[index] = rules.IsTrafficAllowed(traffic).IsAllowed()
	}
	if err := json.NewEncoder(os.Stdout).Encode(verdicts); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
