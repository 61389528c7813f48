// What a role may do, as IAM would judge it: reads {principal, policies, organization, requests: [{action, resource, context}]},
// writes for each request whether it is allowed, and which of its condition keys IAM does not know for it. `organization` are
// the service control policies beside the one that AWS attaches everywhere.
import {readFileSync} from 'node:fs'
import {runSimulation} from '@cloud-copilot/iam-simulate'

const ACCOUNT = '123456789012'
// A key's policy must agree too. The one that KMS gives a key leaves it to IAM.
const KEY_POLICY = {
  Version: '2012-10-17',
  Statement: [{Effect: 'Allow', Principal: {AWS: `arn:aws:iam::${ACCOUNT}:root`}, Action: 'kms:*', Resource: '*'}],
}
const FULL_ACCESS = {Version: '2012-10-17', Statement: [{Effect: 'Allow', Action: '*', Resource: '*'}]}
const {principal, policies, organization, requests} = JSON.parse(readFileSync(0, 'utf8'))

const named = policies => policies.map((policy, at) => ({name: String(at), policy}))

async function judge({action, resource, context}) {
  const answer = await runSimulation({
    request: {
      principal,
      action,
      resource: {resource, accountId: ACCOUNT},
      contextVariables: {...context, 'aws:PrincipalArn': principal},
    },
    identityPolicies: named(policies),
    serviceControlPolicies: [{orgIdentifier: 'root', policies: named([FULL_ACCESS, ...organization])}],
    resourceControlPolicies: [],
    resourcePolicy: action.startsWith('kms:') ? KEY_POLICY : undefined,
  }, {})
  if (answer.resultType !== 'single') {
    throw new Error(`${action} on ${resource}: ${JSON.stringify(answer.errors ?? answer.resultType)}`)
  }
  return {allowed: answer.overallResult === 'Allowed', unknown: answer.result.ignoredContextKeys}
}

process.stdout.write(JSON.stringify(await Promise.all(requests.map(judge))))
