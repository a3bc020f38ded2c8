
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'breakglass' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'breakglass'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'breakglass' {
            [CompletionResult]::new('--council', '--council', [CompletionResultType]::ParameterName, 'The council file [default: breakglass.toml here or in a folder above]')
            [CompletionResult]::new('--quorum', '--quorum', [CompletionResultType]::ParameterName, 'How many RPCs must agree, for this run, in place of the council file''s number; a smaller one is recorded')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object on standard output')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('pause', 'pause', [CompletionResultType]::ParameterValue, 'Propose a pause: plan, review, proposal file')
            [CompletionResult]::new('param', 'param', [CompletionResultType]::ParameterValue, 'Propose a parameter change')
            [CompletionResult]::new('rotate', 'rotate', [CompletionResultType]::ParameterValue, 'Propose a change of keys, roles or owners')
            [CompletionResult]::new('dry-run', 'dry-run', [CompletionResultType]::ParameterValue, 'Rehearse it now: what it would change, without sending anything')
            [CompletionResult]::new('sign', 'sign', [CompletionResultType]::ParameterValue, 'Derive or load, check, show, sign')
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Every finding about a proposal, those that pass too')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Who has signed, what is missing, what has drifted')
            [CompletionResult]::new('import', 'import', [CompletionResultType]::ParameterValue, 'Take in signatures: files, folders, lines, a whole pasted chat')
            [CompletionResult]::new('export', 'export', [CompletionResultType]::ParameterValue, 'Give out signatures, as lines or as files')
            [CompletionResult]::new('broadcast', 'broadcast', [CompletionResultType]::ParameterValue, 'At threshold: send it, wait, and prove its effect on chain')
            [CompletionResult]::new('hash', 'hash', [CompletionResultType]::ParameterValue, 'Domain hash, message hash and safeTxHash of a transaction; no network')
            [CompletionResult]::new('device', 'device', [CompletionResultType]::ParameterValue, 'Is the Ledger ready, and whose keys does it hold?')
            [CompletionResult]::new('playbook', 'playbook', [CompletionResultType]::ParameterValue, 'The playbooks at hand')
            [CompletionResult]::new('init', 'init', [CompletionResultType]::ParameterValue, 'Write a first council file, from a Safe on chain')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print a shell''s completion script')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'breakglass;pause' {
            [CompletionResult]::new('--playbook', '--playbook', [CompletionResultType]::ParameterName, 'Without a lever: the playbook''s id')
            [CompletionResult]::new('--safe', '--safe', [CompletionResultType]::ParameterName, 'Without a lever: the Safe''s name')
            [CompletionResult]::new('--set', '--set', [CompletionResultType]::ParameterName, 'An argument that the lever leaves open; may be given again')
            [CompletionResult]::new('--nonce', '--nonce', [CompletionResultType]::ParameterName, 'Another Safe nonce than the next one')
            [CompletionResult]::new('--accept', '--accept', [CompletionResultType]::ParameterName, 'Accept a refusal by its id; it is recorded and shown to every later signer')
            [CompletionResult]::new('--council', '--council', [CompletionResultType]::ParameterName, 'The council file [default: breakglass.toml here or in a folder above]')
            [CompletionResult]::new('--quorum', '--quorum', [CompletionResultType]::ParameterName, 'How many RPCs must agree, for this run, in place of the council file''s number; a smaller one is recorded')
            [CompletionResult]::new('--undo', '--undo', [CompletionResultType]::ParameterName, 'The lever''s counter-playbook, with every check')
            [CompletionResult]::new('--proofs', '--proofs', [CompletionResultType]::ParameterName, 'Verify every value with proofs (eth_getProof) against the state root of its block; takes one more round')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object on standard output')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'breakglass;param' {
            [CompletionResult]::new('--playbook', '--playbook', [CompletionResultType]::ParameterName, 'Without a lever: the playbook''s id')
            [CompletionResult]::new('--safe', '--safe', [CompletionResultType]::ParameterName, 'Without a lever: the Safe''s name')
            [CompletionResult]::new('--set', '--set', [CompletionResultType]::ParameterName, 'An argument that the lever leaves open; may be given again')
            [CompletionResult]::new('--nonce', '--nonce', [CompletionResultType]::ParameterName, 'Another Safe nonce than the next one')
            [CompletionResult]::new('--accept', '--accept', [CompletionResultType]::ParameterName, 'Accept a refusal by its id; it is recorded and shown to every later signer')
            [CompletionResult]::new('--council', '--council', [CompletionResultType]::ParameterName, 'The council file [default: breakglass.toml here or in a folder above]')
            [CompletionResult]::new('--quorum', '--quorum', [CompletionResultType]::ParameterName, 'How many RPCs must agree, for this run, in place of the council file''s number; a smaller one is recorded')
            [CompletionResult]::new('--undo', '--undo', [CompletionResultType]::ParameterName, 'The lever''s counter-playbook, with every check')
            [CompletionResult]::new('--proofs', '--proofs', [CompletionResultType]::ParameterName, 'Verify every value with proofs (eth_getProof) against the state root of its block; takes one more round')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object on standard output')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'breakglass;rotate' {
            [CompletionResult]::new('--playbook', '--playbook', [CompletionResultType]::ParameterName, 'Without a lever: the playbook''s id')
            [CompletionResult]::new('--safe', '--safe', [CompletionResultType]::ParameterName, 'Without a lever: the Safe''s name')
            [CompletionResult]::new('--set', '--set', [CompletionResultType]::ParameterName, 'An argument that the lever leaves open; may be given again')
            [CompletionResult]::new('--nonce', '--nonce', [CompletionResultType]::ParameterName, 'Another Safe nonce than the next one')
            [CompletionResult]::new('--accept', '--accept', [CompletionResultType]::ParameterName, 'Accept a refusal by its id; it is recorded and shown to every later signer')
            [CompletionResult]::new('--council', '--council', [CompletionResultType]::ParameterName, 'The council file [default: breakglass.toml here or in a folder above]')
            [CompletionResult]::new('--quorum', '--quorum', [CompletionResultType]::ParameterName, 'How many RPCs must agree, for this run, in place of the council file''s number; a smaller one is recorded')
            [CompletionResult]::new('--undo', '--undo', [CompletionResultType]::ParameterName, 'The lever''s counter-playbook, with every check')
            [CompletionResult]::new('--proofs', '--proofs', [CompletionResultType]::ParameterName, 'Verify every value with proofs (eth_getProof) against the state root of its block; takes one more round')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object on standard output')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'breakglass;dry-run' {
            [CompletionResult]::new('--set', '--set', [CompletionResultType]::ParameterName, 'An argument that the lever leaves open; may be given again')
            [CompletionResult]::new('--nonce', '--nonce', [CompletionResultType]::ParameterName, 'Another Safe nonce than the next one')
            [CompletionResult]::new('--at', '--at', [CompletionResultType]::ParameterName, 'After this block instead of the latest')
            [CompletionResult]::new('--fork-url', '--fork-url', [CompletionResultType]::ParameterName, 'On this RPC alone, a running anvil for instance; ''${NAME}'' for one that an environment variable holds')
            [CompletionResult]::new('--council', '--council', [CompletionResultType]::ParameterName, 'The council file [default: breakglass.toml here or in a folder above]')
            [CompletionResult]::new('--quorum', '--quorum', [CompletionResultType]::ParameterName, 'How many RPCs must agree, for this run, in place of the council file''s number; a smaller one is recorded')
            [CompletionResult]::new('--undo', '--undo', [CompletionResultType]::ParameterName, 'The lever''s counter-playbook, with every check')
            [CompletionResult]::new('--proofs', '--proofs', [CompletionResultType]::ParameterName, 'Verify every value with proofs (eth_getProof) against the state root of its block; takes one more round')
            [CompletionResult]::new('--trace', '--trace', [CompletionResultType]::ParameterName, 'Show every call that it makes')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object on standard output')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'breakglass;sign' {
            [CompletionResult]::new('--ledger', '--ledger', [CompletionResultType]::ParameterName, 'Use the Ledger that is plugged in, or an emulator at tcp://HOST:PORT')
            [CompletionResult]::new('--ledger-serial', '--ledger-serial', [CompletionResultType]::ParameterName, 'Which Ledger, where several are plugged in: its serial number, or its path where two have the same')
            [CompletionResult]::new('--model', '--model', [CompletionResultType]::ParameterName, 'Which model an emulator is: nanos, nanox, nanosp, stax, flex or apex_p; over USB the device says it')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long to wait until the Ledger is ready, in seconds; a review takes as long as its person needs')
            [CompletionResult]::new('--keystore', '--keystore', [CompletionResultType]::ParameterName, 'Encrypted keystore file (Web3 Secret Storage)')
            [CompletionResult]::new('--password-file', '--password-file', [CompletionResultType]::ParameterName, 'File whose first line is the keystore''s password [default: asked for]')
            [CompletionResult]::new('--set', '--set', [CompletionResultType]::ParameterName, 'An argument that the lever leaves open; may be given again')
            [CompletionResult]::new('--nonce', '--nonce', [CompletionResultType]::ParameterName, 'Another Safe nonce than the next one')
            [CompletionResult]::new('--accept', '--accept', [CompletionResultType]::ParameterName, 'Accept a refusal by its id; it is recorded and shown to every later signer')
            [CompletionResult]::new('--as', '--as', [CompletionResultType]::ParameterName, 'Sign as this signer of the council file, where a Ledger holds the keys of several [default: me in your settings]')
            [CompletionResult]::new('--council', '--council', [CompletionResultType]::ParameterName, 'The council file [default: breakglass.toml here or in a folder above]')
            [CompletionResult]::new('--quorum', '--quorum', [CompletionResultType]::ParameterName, 'How many RPCs must agree, for this run, in place of the council file''s number; a smaller one is recorded')
            [CompletionResult]::new('--undo', '--undo', [CompletionResultType]::ParameterName, 'The lever''s counter-playbook, with every check')
            [CompletionResult]::new('--proofs', '--proofs', [CompletionResultType]::ParameterName, 'Verify every value with proofs (eth_getProof) against the state root of its block; takes one more round')
            [CompletionResult]::new('--offline', '--offline', [CompletionResultType]::ParameterName, 'Ask nothing of the network; says what could not be checked')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Sign without asking, after the review is printed; a Ledger asks on its own screen in any case')
            [CompletionResult]::new('--fields', '--fields', [CompletionResultType]::ParameterName, 'Give the Ledger every field, as is usual where its app takes them')
            [CompletionResult]::new('--hashes', '--hashes', [CompletionResultType]::ParameterName, 'Give the Ledger the two hashes only: it then shows nothing else of what is signed')
            [CompletionResult]::new('--eth-sign', '--eth-sign', [CompletionResultType]::ParameterName, 'Sign as a personal message (eth_sign), for Safes from 1.1.1 on: a Ledger shows the whole safeTxHash in 4 presses')
            [CompletionResult]::new('--unseen', '--unseen', [CompletionResultType]::ParameterName, 'Accept that the Ledger shows neither all of the data nor a hash of it')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object on standard output')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'breakglass;check' {
            [CompletionResult]::new('--set', '--set', [CompletionResultType]::ParameterName, 'An argument that the lever leaves open; may be given again')
            [CompletionResult]::new('--nonce', '--nonce', [CompletionResultType]::ParameterName, 'Another Safe nonce than the next one')
            [CompletionResult]::new('--council', '--council', [CompletionResultType]::ParameterName, 'The council file [default: breakglass.toml here or in a folder above]')
            [CompletionResult]::new('--quorum', '--quorum', [CompletionResultType]::ParameterName, 'How many RPCs must agree, for this run, in place of the council file''s number; a smaller one is recorded')
            [CompletionResult]::new('--undo', '--undo', [CompletionResultType]::ParameterName, 'The lever''s counter-playbook, with every check')
            [CompletionResult]::new('--proofs', '--proofs', [CompletionResultType]::ParameterName, 'Verify every value with proofs (eth_getProof) against the state root of its block; takes one more round')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object on standard output')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'breakglass;status' {
            [CompletionResult]::new('--set', '--set', [CompletionResultType]::ParameterName, 'An argument that the lever leaves open; may be given again')
            [CompletionResult]::new('--nonce', '--nonce', [CompletionResultType]::ParameterName, 'Another Safe nonce than the next one')
            [CompletionResult]::new('--council', '--council', [CompletionResultType]::ParameterName, 'The council file [default: breakglass.toml here or in a folder above]')
            [CompletionResult]::new('--quorum', '--quorum', [CompletionResultType]::ParameterName, 'How many RPCs must agree, for this run, in place of the council file''s number; a smaller one is recorded')
            [CompletionResult]::new('--undo', '--undo', [CompletionResultType]::ParameterName, 'The lever''s counter-playbook, with every check')
            [CompletionResult]::new('--proofs', '--proofs', [CompletionResultType]::ParameterName, 'Verify every value with proofs (eth_getProof) against the state root of its block; takes one more round')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object on standard output')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'breakglass;import' {
            [CompletionResult]::new('--set', '--set', [CompletionResultType]::ParameterName, 'An argument that the lever leaves open; may be given again')
            [CompletionResult]::new('--nonce', '--nonce', [CompletionResultType]::ParameterName, 'Another Safe nonce than the next one')
            [CompletionResult]::new('--council', '--council', [CompletionResultType]::ParameterName, 'The council file [default: breakglass.toml here or in a folder above]')
            [CompletionResult]::new('--quorum', '--quorum', [CompletionResultType]::ParameterName, 'How many RPCs must agree, for this run, in place of the council file''s number; a smaller one is recorded')
            [CompletionResult]::new('--undo', '--undo', [CompletionResultType]::ParameterName, 'The lever''s counter-playbook, with every check')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object on standard output')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'breakglass;export' {
            [CompletionResult]::new('--to', '--to', [CompletionResultType]::ParameterName, 'Copy the proposal and its signatures into this folder instead of printing lines')
            [CompletionResult]::new('--set', '--set', [CompletionResultType]::ParameterName, 'An argument that the lever leaves open; may be given again')
            [CompletionResult]::new('--nonce', '--nonce', [CompletionResultType]::ParameterName, 'Another Safe nonce than the next one')
            [CompletionResult]::new('--council', '--council', [CompletionResultType]::ParameterName, 'The council file [default: breakglass.toml here or in a folder above]')
            [CompletionResult]::new('--quorum', '--quorum', [CompletionResultType]::ParameterName, 'How many RPCs must agree, for this run, in place of the council file''s number; a smaller one is recorded')
            [CompletionResult]::new('--undo', '--undo', [CompletionResultType]::ParameterName, 'The lever''s counter-playbook, with every check')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object on standard output')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'breakglass;broadcast' {
            [CompletionResult]::new('--ledger', '--ledger', [CompletionResultType]::ParameterName, 'Use the Ledger that is plugged in, or an emulator at tcp://HOST:PORT')
            [CompletionResult]::new('--ledger-serial', '--ledger-serial', [CompletionResultType]::ParameterName, 'Which Ledger, where several are plugged in: its serial number, or its path where two have the same')
            [CompletionResult]::new('--model', '--model', [CompletionResultType]::ParameterName, 'Which model an emulator is: nanos, nanox, nanosp, stax, flex or apex_p; over USB the device says it')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long to wait until the Ledger is ready, in seconds; a review takes as long as its person needs')
            [CompletionResult]::new('--keystore', '--keystore', [CompletionResultType]::ParameterName, 'Encrypted keystore file (Web3 Secret Storage)')
            [CompletionResult]::new('--password-file', '--password-file', [CompletionResultType]::ParameterName, 'File whose first line is the keystore''s password [default: asked for]')
            [CompletionResult]::new('--set', '--set', [CompletionResultType]::ParameterName, 'An argument that the lever leaves open; may be given again')
            [CompletionResult]::new('--nonce', '--nonce', [CompletionResultType]::ParameterName, 'Another Safe nonce than the next one')
            [CompletionResult]::new('--accept', '--accept', [CompletionResultType]::ParameterName, 'Accept a refusal by its id; it is recorded and shown to every later signer')
            [CompletionResult]::new('--confirm', '--confirm', [CompletionResultType]::ParameterName, 'Send without asking; NAME is the Safe''s name in your council file')
            [CompletionResult]::new('--max-fee', '--max-fee', [CompletionResultType]::ParameterName, 'The most to pay per unit of gas, in gwei')
            [CompletionResult]::new('--priority-fee', '--priority-fee', [CompletionResultType]::ParameterName, 'The tip per unit of gas in gwei, in place of what the RPCs suggest: 2 or 1.5, at most --max-fee')
            [CompletionResult]::new('--gas', '--gas', [CompletionResultType]::ParameterName, 'The gas to send it with, where no RPC can estimate it; checked like an estimate')
            [CompletionResult]::new('--confirmations', '--confirmations', [CompletionResultType]::ParameterName, 'Once it is proven, wait until its block and those after it are this many')
            [CompletionResult]::new('--wait', '--wait', [CompletionResultType]::ParameterName, 'How long to wait for the transaction to be mined, in seconds')
            [CompletionResult]::new('--council', '--council', [CompletionResultType]::ParameterName, 'The council file [default: breakglass.toml here or in a folder above]')
            [CompletionResult]::new('--quorum', '--quorum', [CompletionResultType]::ParameterName, 'How many RPCs must agree, for this run, in place of the council file''s number; a smaller one is recorded')
            [CompletionResult]::new('--undo', '--undo', [CompletionResultType]::ParameterName, 'The lever''s counter-playbook, with every check')
            [CompletionResult]::new('--proofs', '--proofs', [CompletionResultType]::ParameterName, 'Verify every value with proofs (eth_getProof) against the state root of its block; takes one more round')
            [CompletionResult]::new('--calldata', '--calldata', [CompletionResultType]::ParameterName, 'Send nothing: print the call for somebody else to send')
            [CompletionResult]::new('--finalized', '--finalized', [CompletionResultType]::ParameterName, 'Once it is proven, wait until the chain calls its block final')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object on standard output')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'breakglass;hash' {
            [CompletionResult]::new('--chain-id', '--chain-id', [CompletionResultType]::ParameterName, 'chain-id')
            [CompletionResult]::new('--safe', '--safe', [CompletionResultType]::ParameterName, 'safe')
            [CompletionResult]::new('--safe-version', '--safe-version', [CompletionResultType]::ParameterName, 'safe-version')
            [CompletionResult]::new('--to', '--to', [CompletionResultType]::ParameterName, 'to')
            [CompletionResult]::new('--value', '--value', [CompletionResultType]::ParameterName, 'In wei')
            [CompletionResult]::new('--data', '--data', [CompletionResultType]::ParameterName, 'Hexadecimal, or @FILE for long data')
            [CompletionResult]::new('--operation', '--operation', [CompletionResultType]::ParameterName, 'operation')
            [CompletionResult]::new('--safe-tx-gas', '--safe-tx-gas', [CompletionResultType]::ParameterName, 'safe-tx-gas')
            [CompletionResult]::new('--base-gas', '--base-gas', [CompletionResultType]::ParameterName, 'base-gas')
            [CompletionResult]::new('--gas-price', '--gas-price', [CompletionResultType]::ParameterName, 'gas-price')
            [CompletionResult]::new('--gas-token', '--gas-token', [CompletionResultType]::ParameterName, 'gas-token')
            [CompletionResult]::new('--refund-receiver', '--refund-receiver', [CompletionResultType]::ParameterName, 'refund-receiver')
            [CompletionResult]::new('--nonce', '--nonce', [CompletionResultType]::ParameterName, 'nonce')
            [CompletionResult]::new('--council', '--council', [CompletionResultType]::ParameterName, 'The council file [default: breakglass.toml here or in a folder above]')
            [CompletionResult]::new('--quorum', '--quorum', [CompletionResultType]::ParameterName, 'How many RPCs must agree, for this run, in place of the council file''s number; a smaller one is recorded')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object on standard output')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'breakglass;device' {
            [CompletionResult]::new('--ledger', '--ledger', [CompletionResultType]::ParameterName, 'Use the Ledger that is plugged in, or an emulator at tcp://HOST:PORT')
            [CompletionResult]::new('--ledger-serial', '--ledger-serial', [CompletionResultType]::ParameterName, 'Which Ledger, where several are plugged in: its serial number, or its path where two have the same')
            [CompletionResult]::new('--model', '--model', [CompletionResultType]::ParameterName, 'Which model an emulator is: nanos, nanox, nanosp, stax, flex or apex_p; over USB the device says it')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long to wait until the Ledger is ready, in seconds; a review takes as long as its person needs')
            [CompletionResult]::new('--keystore', '--keystore', [CompletionResultType]::ParameterName, 'Encrypted keystore file (Web3 Secret Storage)')
            [CompletionResult]::new('--password-file', '--password-file', [CompletionResultType]::ParameterName, 'File whose first line is the keystore''s password [default: asked for]')
            [CompletionResult]::new('--show-address', '--show-address', [CompletionResultType]::ParameterName, 'Show the address at this derivation path on the device''s own screen')
            [CompletionResult]::new('--verify', '--verify', [CompletionResultType]::ParameterName, 'Show a signer''s address of the council file on the device''s own screen, and say whether it is the same')
            [CompletionResult]::new('--install-udev', '--install-udev', [CompletionResultType]::ParameterName, 'Install that rule, with sudo; FILE where the system keeps its rules elsewhere')
            [CompletionResult]::new('--council', '--council', [CompletionResultType]::ParameterName, 'The council file [default: breakglass.toml here or in a folder above]')
            [CompletionResult]::new('--quorum', '--quorum', [CompletionResultType]::ParameterName, 'How many RPCs must agree, for this run, in place of the council file''s number; a smaller one is recorded')
            [CompletionResult]::new('--settings', '--settings', [CompletionResultType]::ParameterName, 'Say which settings of the Ethereum app are recommended, and how to state yours')
            [CompletionResult]::new('--udev', '--udev', [CompletionResultType]::ParameterName, 'Print the udev rule by which Linux lets a user open a Ledger')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object on standard output')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'breakglass;playbook' {
            [CompletionResult]::new('--council', '--council', [CompletionResultType]::ParameterName, 'The council file [default: breakglass.toml here or in a folder above]')
            [CompletionResult]::new('--quorum', '--quorum', [CompletionResultType]::ParameterName, 'How many RPCs must agree, for this run, in place of the council file''s number; a smaller one is recorded')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object on standard output')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'Every playbook: your council''s own, then the built-in ones')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'One playbook in plain words, with its parameters and an example lever')
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Read a playbook file, or every one in a folder, and say what is wrong; exit code 1 where something is')
            [CompletionResult]::new('new', 'new', [CompletionResultType]::ParameterValue, 'Print a first playbook for a function, its checks included: save it below playbooks/ and edit it')
            [CompletionResult]::new('test', 'test', [CompletionResultType]::ParameterValue, 'Try one on a fork: pull it, take it back, and see it denied to somebody without the role; nothing is sent')
            [CompletionResult]::new('schema', 'schema', [CompletionResultType]::ParameterValue, 'Print the JSON Schema of a playbook''s file, for editors')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'breakglass;playbook;list' {
            [CompletionResult]::new('--kind', '--kind', [CompletionResultType]::ParameterName, 'Only this kind: pause, param or rotate')
            [CompletionResult]::new('--family', '--family', [CompletionResultType]::ParameterName, 'Only protocols whose name contains this')
            [CompletionResult]::new('--severity', '--severity', [CompletionResultType]::ParameterName, 'Only this severity: P1, the gravest, to P5')
            [CompletionResult]::new('--council', '--council', [CompletionResultType]::ParameterName, 'The council file [default: breakglass.toml here or in a folder above]')
            [CompletionResult]::new('--quorum', '--quorum', [CompletionResultType]::ParameterName, 'How many RPCs must agree, for this run, in place of the council file''s number; a smaller one is recorded')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object on standard output')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'breakglass;playbook;show' {
            [CompletionResult]::new('--council', '--council', [CompletionResultType]::ParameterName, 'The council file [default: breakglass.toml here or in a folder above]')
            [CompletionResult]::new('--quorum', '--quorum', [CompletionResultType]::ParameterName, 'How many RPCs must agree, for this run, in place of the council file''s number; a smaller one is recorded')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object on standard output')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'breakglass;playbook;check' {
            [CompletionResult]::new('--council', '--council', [CompletionResultType]::ParameterName, 'The council file [default: breakglass.toml here or in a folder above]')
            [CompletionResult]::new('--quorum', '--quorum', [CompletionResultType]::ParameterName, 'How many RPCs must agree, for this run, in place of the council file''s number; a smaller one is recorded')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object on standard output')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'breakglass;playbook;new' {
            [CompletionResult]::new('--call', '--call', [CompletionResultType]::ParameterName, 'The function to call: a signature such as "pause()", or with --abi its name')
            [CompletionResult]::new('--view', '--view', [CompletionResultType]::ParameterName, 'The view that proves it, such as "paused()(bool)"; with --abi its name')
            [CompletionResult]::new('--abi', '--abi', [CompletionResultType]::ParameterName, 'The contract''s ABI as JSON, or an artifact with a field "abi"')
            [CompletionResult]::new('--council', '--council', [CompletionResultType]::ParameterName, 'The council file [default: breakglass.toml here or in a folder above]')
            [CompletionResult]::new('--quorum', '--quorum', [CompletionResultType]::ParameterName, 'How many RPCs must agree, for this run, in place of the council file''s number; a smaller one is recorded')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object on standard output')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'breakglass;playbook;test' {
            [CompletionResult]::new('--safe', '--safe', [CompletionResultType]::ParameterName, 'The Safe of your council file that pulls it [default: the only one]')
            [CompletionResult]::new('--undo-safe', '--undo-safe', [CompletionResultType]::ParameterName, 'The Safe that takes it back [default: the same]')
            [CompletionResult]::new('--set', '--set', [CompletionResultType]::ParameterName, 'An argument of the playbook; may be given again')
            [CompletionResult]::new('--fork-url', '--fork-url', [CompletionResultType]::ParameterName, 'On this RPC alone, a running anvil for instance; ''${NAME}'' for one that an environment variable holds')
            [CompletionResult]::new('--council', '--council', [CompletionResultType]::ParameterName, 'The council file [default: breakglass.toml here or in a folder above]')
            [CompletionResult]::new('--quorum', '--quorum', [CompletionResultType]::ParameterName, 'How many RPCs must agree, for this run, in place of the council file''s number; a smaller one is recorded')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object on standard output')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'breakglass;playbook;schema' {
            [CompletionResult]::new('--council', '--council', [CompletionResultType]::ParameterName, 'The council file [default: breakglass.toml here or in a folder above]')
            [CompletionResult]::new('--quorum', '--quorum', [CompletionResultType]::ParameterName, 'How many RPCs must agree, for this run, in place of the council file''s number; a smaller one is recorded')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object on standard output')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'breakglass;playbook;help' {
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'Every playbook: your council''s own, then the built-in ones')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'One playbook in plain words, with its parameters and an example lever')
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Read a playbook file, or every one in a folder, and say what is wrong; exit code 1 where something is')
            [CompletionResult]::new('new', 'new', [CompletionResultType]::ParameterValue, 'Print a first playbook for a function, its checks included: save it below playbooks/ and edit it')
            [CompletionResult]::new('test', 'test', [CompletionResultType]::ParameterValue, 'Try one on a fork: pull it, take it back, and see it denied to somebody without the role; nothing is sent')
            [CompletionResult]::new('schema', 'schema', [CompletionResultType]::ParameterValue, 'Print the JSON Schema of a playbook''s file, for editors')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'breakglass;playbook;help;list' {
            break
        }
        'breakglass;playbook;help;show' {
            break
        }
        'breakglass;playbook;help;check' {
            break
        }
        'breakglass;playbook;help;new' {
            break
        }
        'breakglass;playbook;help;test' {
            break
        }
        'breakglass;playbook;help;schema' {
            break
        }
        'breakglass;playbook;help;help' {
            break
        }
        'breakglass;init' {
            [CompletionResult]::new('--safe', '--safe', [CompletionResultType]::ParameterName, 'The Safe''s address')
            [CompletionResult]::new('--rpc', '--rpc', [CompletionResultType]::ParameterName, 'An RPC address; ''${NAME}'' for one that an environment variable holds, as one with a key should be')
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'What to call the protocol')
            [CompletionResult]::new('--chain', '--chain', [CompletionResultType]::ParameterName, 'What to call the chain [default: its usual name]')
            [CompletionResult]::new('--safe-name', '--safe-name', [CompletionResultType]::ParameterName, 'What to call the Safe')
            [CompletionResult]::new('--council', '--council', [CompletionResultType]::ParameterName, 'The council file [default: breakglass.toml here or in a folder above]')
            [CompletionResult]::new('--quorum', '--quorum', [CompletionResultType]::ParameterName, 'How many RPCs must agree, for this run, in place of the council file''s number; a smaller one is recorded')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object on standard output')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'breakglass;completions' {
            [CompletionResult]::new('--council', '--council', [CompletionResultType]::ParameterName, 'The council file [default: breakglass.toml here or in a folder above]')
            [CompletionResult]::new('--quorum', '--quorum', [CompletionResultType]::ParameterName, 'How many RPCs must agree, for this run, in place of the council file''s number; a smaller one is recorded')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON object on standard output')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'breakglass;help' {
            [CompletionResult]::new('pause', 'pause', [CompletionResultType]::ParameterValue, 'Propose a pause: plan, review, proposal file')
            [CompletionResult]::new('param', 'param', [CompletionResultType]::ParameterValue, 'Propose a parameter change')
            [CompletionResult]::new('rotate', 'rotate', [CompletionResultType]::ParameterValue, 'Propose a change of keys, roles or owners')
            [CompletionResult]::new('dry-run', 'dry-run', [CompletionResultType]::ParameterValue, 'Rehearse it now: what it would change, without sending anything')
            [CompletionResult]::new('sign', 'sign', [CompletionResultType]::ParameterValue, 'Derive or load, check, show, sign')
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Every finding about a proposal, those that pass too')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Who has signed, what is missing, what has drifted')
            [CompletionResult]::new('import', 'import', [CompletionResultType]::ParameterValue, 'Take in signatures: files, folders, lines, a whole pasted chat')
            [CompletionResult]::new('export', 'export', [CompletionResultType]::ParameterValue, 'Give out signatures, as lines or as files')
            [CompletionResult]::new('broadcast', 'broadcast', [CompletionResultType]::ParameterValue, 'At threshold: send it, wait, and prove its effect on chain')
            [CompletionResult]::new('hash', 'hash', [CompletionResultType]::ParameterValue, 'Domain hash, message hash and safeTxHash of a transaction; no network')
            [CompletionResult]::new('device', 'device', [CompletionResultType]::ParameterValue, 'Is the Ledger ready, and whose keys does it hold?')
            [CompletionResult]::new('playbook', 'playbook', [CompletionResultType]::ParameterValue, 'The playbooks at hand')
            [CompletionResult]::new('init', 'init', [CompletionResultType]::ParameterValue, 'Write a first council file, from a Safe on chain')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print a shell''s completion script')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Print this message or the help of the given subcommand(s)')
            break
        }
        'breakglass;help;pause' {
            break
        }
        'breakglass;help;param' {
            break
        }
        'breakglass;help;rotate' {
            break
        }
        'breakglass;help;dry-run' {
            break
        }
        'breakglass;help;sign' {
            break
        }
        'breakglass;help;check' {
            break
        }
        'breakglass;help;status' {
            break
        }
        'breakglass;help;import' {
            break
        }
        'breakglass;help;export' {
            break
        }
        'breakglass;help;broadcast' {
            break
        }
        'breakglass;help;hash' {
            break
        }
        'breakglass;help;device' {
            break
        }
        'breakglass;help;playbook' {
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'Every playbook: your council''s own, then the built-in ones')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'One playbook in plain words, with its parameters and an example lever')
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Read a playbook file, or every one in a folder, and say what is wrong; exit code 1 where something is')
            [CompletionResult]::new('new', 'new', [CompletionResultType]::ParameterValue, 'Print a first playbook for a function, its checks included: save it below playbooks/ and edit it')
            [CompletionResult]::new('test', 'test', [CompletionResultType]::ParameterValue, 'Try one on a fork: pull it, take it back, and see it denied to somebody without the role; nothing is sent')
            [CompletionResult]::new('schema', 'schema', [CompletionResultType]::ParameterValue, 'Print the JSON Schema of a playbook''s file, for editors')
            break
        }
        'breakglass;help;playbook;list' {
            break
        }
        'breakglass;help;playbook;show' {
            break
        }
        'breakglass;help;playbook;check' {
            break
        }
        'breakglass;help;playbook;new' {
            break
        }
        'breakglass;help;playbook;test' {
            break
        }
        'breakglass;help;playbook;schema' {
            break
        }
        'breakglass;help;init' {
            break
        }
        'breakglass;help;completions' {
            break
        }
        'breakglass;help;help' {
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
