// What a role may do, as IAM would judge it: reads {policies, requests: [{action, resource, context}]}, writes for each
// request whether it is allowed, and which of its condition keys IAM does not know for it.
import {readFileSync} from 'node:fs'
import {runSimulation} from '@cloud-copilot/iam-simulate'

const ACCOUNT = '123456789012'
// A key's policy must agree too. The one that KMS gives a key leaves it to IAM.
const KEY_POLICY = {
  Version: '2012-10-17',
  Statement: [{Effect: 'Allow', Principal: {AWS: `arn:aws:iam::${ACCOUNT}:root`}, Action: 'kms:*', Resource: '*'}],
}
const {policies, requests} = JSON.parse(readFileSync(0, 'utf8'))

async function judge({action, resource, context}) {
  const answer = await runSimulation({
    request: {
      principal: `arn:aws:iam::${ACCOUNT}:role/function`,
      action,
      resource: {resource, accountId: ACCOUNT},
      contextVariables: context,
    },
    identityPolicies: policies.map((policy, at) => ({name: String(at), policy})),
    serviceControlPolicies: [],
    resourceControlPolicies: [],
    resourcePolicy: action.startsWith('kms:') ? KEY_POLICY : undefined,
  }, {})
  if (answer.resultType !== 'single') {
    throw new Error(`${action} on ${resource}: ${JSON.stringify(answer.errors ?? answer.resultType)}`)
  }
  return {allowed: answer.overallResult === 'Allowed', unknown: answer.result.ignoredContextKeys}
}

process.stdout.write(JSON.stringify(await Promise.all(requests.map(judge))))
