
use builtin;
use str;

set edit:completion:arg-completer[breakglass] = {|@words|
    fn spaces {|n|
        builtin:repeat $n ' ' | str:join ''
    }
    fn cand {|text desc|
        edit:complex-candidate $text &display=$text' '(spaces (- 14 (wcswidth $text)))$desc
    }
    var command = 'breakglass'
    for word $words[1..-1] {
        if (str:has-prefix $word '-') {
            break
        }
        set command = $command';'$word
    }
    var completions = [
        &'breakglass'= {
            cand --council 'The council file [default: breakglass.toml here or in a folder above]'
            cand --quorum 'How many RPCs must agree, for this run, in place of the council file''s number; a smaller one is recorded'
            cand --json 'Print one JSON object on standard output'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
            cand pause 'Propose a pause: plan, review, proposal file'
            cand param 'Propose a parameter change'
            cand rotate 'Propose a change of keys, roles or owners'
            cand dry-run 'Rehearse it now: what it would change, without sending anything'
            cand sign 'Derive or load, check, show, sign'
            cand check 'Every finding about a proposal, those that pass too'
            cand status 'Who has signed, what is missing, what has drifted'
            cand import 'Take in signatures: files, folders, lines, a whole pasted chat'
            cand export 'Give out signatures, as lines or as files'
            cand broadcast 'At threshold: send it, wait, and prove its effect on chain'
            cand hash 'Domain hash, message hash and safeTxHash of a transaction; no network'
            cand device 'Is the Ledger ready, and whose keys does it hold?'
            cand playbook 'The playbooks at hand'
            cand init 'Write a first council file, from a Safe on chain'
            cand completions 'Print a shell''s completion script'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'breakglass;pause'= {
            cand --playbook 'Without a lever: the playbook''s id'
            cand --safe 'Without a lever: the Safe''s name'
            cand --set 'An argument that the lever leaves open; may be given again'
            cand --nonce 'Another Safe nonce than the next one'
            cand --accept 'Accept a refusal by its id; it is recorded and shown to every later signer'
            cand --council 'The council file [default: breakglass.toml here or in a folder above]'
            cand --quorum 'How many RPCs must agree, for this run, in place of the council file''s number; a smaller one is recorded'
            cand --undo 'The lever''s counter-playbook, with every check'
            cand --proofs 'Verify every value with proofs (eth_getProof) against the state root of its block; takes one more round'
            cand --json 'Print one JSON object on standard output'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'breakglass;param'= {
            cand --playbook 'Without a lever: the playbook''s id'
            cand --safe 'Without a lever: the Safe''s name'
            cand --set 'An argument that the lever leaves open; may be given again'
            cand --nonce 'Another Safe nonce than the next one'
            cand --accept 'Accept a refusal by its id; it is recorded and shown to every later signer'
            cand --council 'The council file [default: breakglass.toml here or in a folder above]'
            cand --quorum 'How many RPCs must agree, for this run, in place of the council file''s number; a smaller one is recorded'
            cand --undo 'The lever''s counter-playbook, with every check'
            cand --proofs 'Verify every value with proofs (eth_getProof) against the state root of its block; takes one more round'
            cand --json 'Print one JSON object on standard output'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'breakglass;rotate'= {
            cand --playbook 'Without a lever: the playbook''s id'
            cand --safe 'Without a lever: the Safe''s name'
            cand --set 'An argument that the lever leaves open; may be given again'
            cand --nonce 'Another Safe nonce than the next one'
            cand --accept 'Accept a refusal by its id; it is recorded and shown to every later signer'
            cand --council 'The council file [default: breakglass.toml here or in a folder above]'
            cand --quorum 'How many RPCs must agree, for this run, in place of the council file''s number; a smaller one is recorded'
            cand --undo 'The lever''s counter-playbook, with every check'
            cand --proofs 'Verify every value with proofs (eth_getProof) against the state root of its block; takes one more round'
            cand --json 'Print one JSON object on standard output'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'breakglass;dry-run'= {
            cand --set 'An argument that the lever leaves open; may be given again'
            cand --nonce 'Another Safe nonce than the next one'
            cand --at 'After this block instead of the latest'
            cand --fork-url 'On this RPC alone, a running anvil for instance; ''${NAME}'' for one that an environment variable holds'
            cand --council 'The council file [default: breakglass.toml here or in a folder above]'
            cand --quorum 'How many RPCs must agree, for this run, in place of the council file''s number; a smaller one is recorded'
            cand --undo 'The lever''s counter-playbook, with every check'
            cand --proofs 'Verify every value with proofs (eth_getProof) against the state root of its block; takes one more round'
            cand --trace 'Show every call that it makes'
            cand --json 'Print one JSON object on standard output'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'breakglass;sign'= {
            cand --ledger 'Use the Ledger that is plugged in, or an emulator at tcp://HOST:PORT'
            cand --ledger-serial 'Which Ledger, where several are plugged in: its serial number, or its path where two have the same'
            cand --model 'Which model an emulator is: nanos, nanox, nanosp, stax, flex or apex_p; over USB the device says it'
            cand --timeout 'How long to wait until the Ledger is ready, in seconds; a review takes as long as its person needs'
            cand --keystore 'Encrypted keystore file (Web3 Secret Storage)'
            cand --password-file 'File whose first line is the keystore''s password [default: asked for]'
            cand --set 'An argument that the lever leaves open; may be given again'
            cand --nonce 'Another Safe nonce than the next one'
            cand --accept 'Accept a refusal by its id; it is recorded and shown to every later signer'
            cand --as 'Sign as this signer of the council file, where a Ledger holds the keys of several [default: me in your settings]'
            cand --council 'The council file [default: breakglass.toml here or in a folder above]'
            cand --quorum 'How many RPCs must agree, for this run, in place of the council file''s number; a smaller one is recorded'
            cand --undo 'The lever''s counter-playbook, with every check'
            cand --proofs 'Verify every value with proofs (eth_getProof) against the state root of its block; takes one more round'
            cand --offline 'Ask nothing of the network; says what could not be checked'
            cand --yes 'Sign without asking, after the review is printed; a Ledger asks on its own screen in any case'
            cand --fields 'Give the Ledger every field, as is usual where its app takes them'
            cand --hashes 'Give the Ledger the two hashes only: it then shows nothing else of what is signed'
            cand --eth-sign 'Sign as a personal message (eth_sign), for Safes from 1.1.1 on: a Ledger shows the whole safeTxHash in 4 presses'
            cand --unseen 'Accept that the Ledger shows neither all of the data nor a hash of it'
            cand --json 'Print one JSON object on standard output'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'breakglass;check'= {
            cand --set 'An argument that the lever leaves open; may be given again'
            cand --nonce 'Another Safe nonce than the next one'
            cand --council 'The council file [default: breakglass.toml here or in a folder above]'
            cand --quorum 'How many RPCs must agree, for this run, in place of the council file''s number; a smaller one is recorded'
            cand --undo 'The lever''s counter-playbook, with every check'
            cand --proofs 'Verify every value with proofs (eth_getProof) against the state root of its block; takes one more round'
            cand --json 'Print one JSON object on standard output'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'breakglass;status'= {
            cand --set 'An argument that the lever leaves open; may be given again'
            cand --nonce 'Another Safe nonce than the next one'
            cand --council 'The council file [default: breakglass.toml here or in a folder above]'
            cand --quorum 'How many RPCs must agree, for this run, in place of the council file''s number; a smaller one is recorded'
            cand --undo 'The lever''s counter-playbook, with every check'
            cand --proofs 'Verify every value with proofs (eth_getProof) against the state root of its block; takes one more round'
            cand --json 'Print one JSON object on standard output'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'breakglass;import'= {
            cand --set 'An argument that the lever leaves open; may be given again'
            cand --nonce 'Another Safe nonce than the next one'
            cand --council 'The council file [default: breakglass.toml here or in a folder above]'
            cand --quorum 'How many RPCs must agree, for this run, in place of the council file''s number; a smaller one is recorded'
            cand --undo 'The lever''s counter-playbook, with every check'
            cand --json 'Print one JSON object on standard output'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'breakglass;export'= {
            cand --to 'Copy the proposal and its signatures into this folder instead of printing lines'
            cand --set 'An argument that the lever leaves open; may be given again'
            cand --nonce 'Another Safe nonce than the next one'
            cand --council 'The council file [default: breakglass.toml here or in a folder above]'
            cand --quorum 'How many RPCs must agree, for this run, in place of the council file''s number; a smaller one is recorded'
            cand --undo 'The lever''s counter-playbook, with every check'
            cand --json 'Print one JSON object on standard output'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'breakglass;broadcast'= {
            cand --ledger 'Use the Ledger that is plugged in, or an emulator at tcp://HOST:PORT'
            cand --ledger-serial 'Which Ledger, where several are plugged in: its serial number, or its path where two have the same'
            cand --model 'Which model an emulator is: nanos, nanox, nanosp, stax, flex or apex_p; over USB the device says it'
            cand --timeout 'How long to wait until the Ledger is ready, in seconds; a review takes as long as its person needs'
            cand --keystore 'Encrypted keystore file (Web3 Secret Storage)'
            cand --password-file 'File whose first line is the keystore''s password [default: asked for]'
            cand --set 'An argument that the lever leaves open; may be given again'
            cand --nonce 'Another Safe nonce than the next one'
            cand --accept 'Accept a refusal by its id; it is recorded and shown to every later signer'
            cand --confirm 'Send without asking; NAME is the Safe''s name in your council file'
            cand --max-fee 'The most to pay per unit of gas, in gwei'
            cand --priority-fee 'The tip per unit of gas in gwei, in place of what the RPCs suggest: 2 or 1.5, at most --max-fee'
            cand --gas 'The gas to send it with, where no RPC can estimate it; checked like an estimate'
            cand --confirmations 'Once it is proven, wait until its block and those after it are this many'
            cand --wait 'How long to wait for the transaction to be mined, in seconds'
            cand --council 'The council file [default: breakglass.toml here or in a folder above]'
            cand --quorum 'How many RPCs must agree, for this run, in place of the council file''s number; a smaller one is recorded'
            cand --undo 'The lever''s counter-playbook, with every check'
            cand --proofs 'Verify every value with proofs (eth_getProof) against the state root of its block; takes one more round'
            cand --calldata 'Send nothing: print the call for somebody else to send'
            cand --finalized 'Once it is proven, wait until the chain calls its block final'
            cand --json 'Print one JSON object on standard output'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'breakglass;hash'= {
            cand --chain-id 'chain-id'
            cand --safe 'safe'
            cand --safe-version 'safe-version'
            cand --to 'to'
            cand --value 'In wei'
            cand --data 'Hexadecimal, or @FILE for long data'
            cand --operation 'operation'
            cand --safe-tx-gas 'safe-tx-gas'
            cand --base-gas 'base-gas'
            cand --gas-price 'gas-price'
            cand --gas-token 'gas-token'
            cand --refund-receiver 'refund-receiver'
            cand --nonce 'nonce'
            cand --council 'The council file [default: breakglass.toml here or in a folder above]'
            cand --quorum 'How many RPCs must agree, for this run, in place of the council file''s number; a smaller one is recorded'
            cand --json 'Print one JSON object on standard output'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'breakglass;device'= {
            cand --ledger 'Use the Ledger that is plugged in, or an emulator at tcp://HOST:PORT'
            cand --ledger-serial 'Which Ledger, where several are plugged in: its serial number, or its path where two have the same'
            cand --model 'Which model an emulator is: nanos, nanox, nanosp, stax, flex or apex_p; over USB the device says it'
            cand --timeout 'How long to wait until the Ledger is ready, in seconds; a review takes as long as its person needs'
            cand --keystore 'Encrypted keystore file (Web3 Secret Storage)'
            cand --password-file 'File whose first line is the keystore''s password [default: asked for]'
            cand --show-address 'Show the address at this derivation path on the device''s own screen'
            cand --verify 'Show a signer''s address of the council file on the device''s own screen, and say whether it is the same'
            cand --install-udev 'Install that rule, with sudo; FILE where the system keeps its rules elsewhere'
            cand --council 'The council file [default: breakglass.toml here or in a folder above]'
            cand --quorum 'How many RPCs must agree, for this run, in place of the council file''s number; a smaller one is recorded'
            cand --settings 'Say which settings of the Ethereum app are recommended, and how to state yours'
            cand --udev 'Print the udev rule by which Linux lets a user open a Ledger'
            cand --json 'Print one JSON object on standard output'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'breakglass;playbook'= {
            cand --council 'The council file [default: breakglass.toml here or in a folder above]'
            cand --quorum 'How many RPCs must agree, for this run, in place of the council file''s number; a smaller one is recorded'
            cand --json 'Print one JSON object on standard output'
            cand -h 'Print help'
            cand --help 'Print help'
            cand list 'Every playbook: your council''s own, then the built-in ones'
            cand show 'One playbook in plain words, with its parameters and an example lever'
            cand check 'Read a playbook file, or every one in a folder, and say what is wrong; exit code 1 where something is'
            cand new 'Print a first playbook for a function, its checks included: save it below playbooks/ and edit it'
            cand test 'Try one on a fork: pull it, take it back, and see it denied to somebody without the role; nothing is sent'
            cand schema 'Print the JSON Schema of a playbook''s file, for editors'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'breakglass;playbook;list'= {
            cand --kind 'Only this kind: pause, param or rotate'
            cand --family 'Only protocols whose name contains this'
            cand --severity 'Only this severity: P1, the gravest, to P5'
            cand --council 'The council file [default: breakglass.toml here or in a folder above]'
            cand --quorum 'How many RPCs must agree, for this run, in place of the council file''s number; a smaller one is recorded'
            cand --json 'Print one JSON object on standard output'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'breakglass;playbook;show'= {
            cand --council 'The council file [default: breakglass.toml here or in a folder above]'
            cand --quorum 'How many RPCs must agree, for this run, in place of the council file''s number; a smaller one is recorded'
            cand --json 'Print one JSON object on standard output'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'breakglass;playbook;check'= {
            cand --council 'The council file [default: breakglass.toml here or in a folder above]'
            cand --quorum 'How many RPCs must agree, for this run, in place of the council file''s number; a smaller one is recorded'
            cand --json 'Print one JSON object on standard output'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'breakglass;playbook;new'= {
            cand --call 'The function to call: a signature such as "pause()", or with --abi its name'
            cand --view 'The view that proves it, such as "paused()(bool)"; with --abi its name'
            cand --abi 'The contract''s ABI as JSON, or an artifact with a field "abi"'
            cand --council 'The council file [default: breakglass.toml here or in a folder above]'
            cand --quorum 'How many RPCs must agree, for this run, in place of the council file''s number; a smaller one is recorded'
            cand --json 'Print one JSON object on standard output'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'breakglass;playbook;test'= {
            cand --safe 'The Safe of your council file that pulls it [default: the only one]'
            cand --undo-safe 'The Safe that takes it back [default: the same]'
            cand --set 'An argument of the playbook; may be given again'
            cand --fork-url 'On this RPC alone, a running anvil for instance; ''${NAME}'' for one that an environment variable holds'
            cand --council 'The council file [default: breakglass.toml here or in a folder above]'
            cand --quorum 'How many RPCs must agree, for this run, in place of the council file''s number; a smaller one is recorded'
            cand --json 'Print one JSON object on standard output'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'breakglass;playbook;schema'= {
            cand --council 'The council file [default: breakglass.toml here or in a folder above]'
            cand --quorum 'How many RPCs must agree, for this run, in place of the council file''s number; a smaller one is recorded'
            cand --json 'Print one JSON object on standard output'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'breakglass;playbook;help'= {
            cand list 'Every playbook: your council''s own, then the built-in ones'
            cand show 'One playbook in plain words, with its parameters and an example lever'
            cand check 'Read a playbook file, or every one in a folder, and say what is wrong; exit code 1 where something is'
            cand new 'Print a first playbook for a function, its checks included: save it below playbooks/ and edit it'
            cand test 'Try one on a fork: pull it, take it back, and see it denied to somebody without the role; nothing is sent'
            cand schema 'Print the JSON Schema of a playbook''s file, for editors'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'breakglass;playbook;help;list'= {
        }
        &'breakglass;playbook;help;show'= {
        }
        &'breakglass;playbook;help;check'= {
        }
        &'breakglass;playbook;help;new'= {
        }
        &'breakglass;playbook;help;test'= {
        }
        &'breakglass;playbook;help;schema'= {
        }
        &'breakglass;playbook;help;help'= {
        }
        &'breakglass;init'= {
            cand --safe 'The Safe''s address'
            cand --rpc 'An RPC address; ''${NAME}'' for one that an environment variable holds, as one with a key should be'
            cand --name 'What to call the protocol'
            cand --chain 'What to call the chain [default: its usual name]'
            cand --safe-name 'What to call the Safe'
            cand --council 'The council file [default: breakglass.toml here or in a folder above]'
            cand --quorum 'How many RPCs must agree, for this run, in place of the council file''s number; a smaller one is recorded'
            cand --json 'Print one JSON object on standard output'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'breakglass;completions'= {
            cand --council 'The council file [default: breakglass.toml here or in a folder above]'
            cand --quorum 'How many RPCs must agree, for this run, in place of the council file''s number; a smaller one is recorded'
            cand --json 'Print one JSON object on standard output'
            cand -h 'Print help'
            cand --help 'Print help'
        }
        &'breakglass;help'= {
            cand pause 'Propose a pause: plan, review, proposal file'
            cand param 'Propose a parameter change'
            cand rotate 'Propose a change of keys, roles or owners'
            cand dry-run 'Rehearse it now: what it would change, without sending anything'
            cand sign 'Derive or load, check, show, sign'
            cand check 'Every finding about a proposal, those that pass too'
            cand status 'Who has signed, what is missing, what has drifted'
            cand import 'Take in signatures: files, folders, lines, a whole pasted chat'
            cand export 'Give out signatures, as lines or as files'
            cand broadcast 'At threshold: send it, wait, and prove its effect on chain'
            cand hash 'Domain hash, message hash and safeTxHash of a transaction; no network'
            cand device 'Is the Ledger ready, and whose keys does it hold?'
            cand playbook 'The playbooks at hand'
            cand init 'Write a first council file, from a Safe on chain'
            cand completions 'Print a shell''s completion script'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'breakglass;help;pause'= {
        }
        &'breakglass;help;param'= {
        }
        &'breakglass;help;rotate'= {
        }
        &'breakglass;help;dry-run'= {
        }
        &'breakglass;help;sign'= {
        }
        &'breakglass;help;check'= {
        }
        &'breakglass;help;status'= {
        }
        &'breakglass;help;import'= {
        }
        &'breakglass;help;export'= {
        }
        &'breakglass;help;broadcast'= {
        }
        &'breakglass;help;hash'= {
        }
        &'breakglass;help;device'= {
        }
        &'breakglass;help;playbook'= {
            cand list 'Every playbook: your council''s own, then the built-in ones'
            cand show 'One playbook in plain words, with its parameters and an example lever'
            cand check 'Read a playbook file, or every one in a folder, and say what is wrong; exit code 1 where something is'
            cand new 'Print a first playbook for a function, its checks included: save it below playbooks/ and edit it'
            cand test 'Try one on a fork: pull it, take it back, and see it denied to somebody without the role; nothing is sent'
            cand schema 'Print the JSON Schema of a playbook''s file, for editors'
        }
        &'breakglass;help;playbook;list'= {
        }
        &'breakglass;help;playbook;show'= {
        }
        &'breakglass;help;playbook;check'= {
        }
        &'breakglass;help;playbook;new'= {
        }
        &'breakglass;help;playbook;test'= {
        }
        &'breakglass;help;playbook;schema'= {
        }
        &'breakglass;help;init'= {
        }
        &'breakglass;help;completions'= {
        }
        &'breakglass;help;help'= {
        }
    ]
    $completions[$command]
}
