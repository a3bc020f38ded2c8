# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_breakglass_global_optspecs
    string join \n council= json quorum= h/help V/version
end

function __fish_breakglass_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_breakglass_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_breakglass_using_subcommand
    set -l cmd (__fish_breakglass_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c breakglass -n "__fish_breakglass_needs_command" -l council -d 'The council file [default: breakglass.toml here or in a folder above]' -r -F
complete -c breakglass -n "__fish_breakglass_needs_command" -l quorum -d 'How many RPCs must agree, for this run, in place of the council file\'s number; a smaller one is recorded' -r
complete -c breakglass -n "__fish_breakglass_needs_command" -l json -d 'Print one JSON object on standard output'
complete -c breakglass -n "__fish_breakglass_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c breakglass -n "__fish_breakglass_needs_command" -s V -l version -d 'Print version'
complete -c breakglass -n "__fish_breakglass_needs_command" -f -a "pause" -d 'Propose a pause: plan, review, proposal file'
complete -c breakglass -n "__fish_breakglass_needs_command" -f -a "param" -d 'Propose a parameter change'
complete -c breakglass -n "__fish_breakglass_needs_command" -f -a "rotate" -d 'Propose a change of keys, roles or owners'
complete -c breakglass -n "__fish_breakglass_needs_command" -f -a "dry-run" -d 'Rehearse it now: what it would change, without sending anything'
complete -c breakglass -n "__fish_breakglass_needs_command" -f -a "sign" -d 'Derive or load, check, show, sign'
complete -c breakglass -n "__fish_breakglass_needs_command" -f -a "check" -d 'Every finding about a proposal, those that pass too'
complete -c breakglass -n "__fish_breakglass_needs_command" -f -a "status" -d 'Who has signed, what is missing, what has drifted'
complete -c breakglass -n "__fish_breakglass_needs_command" -f -a "import" -d 'Take in signatures: files, folders, lines, a whole pasted chat'
complete -c breakglass -n "__fish_breakglass_needs_command" -f -a "export" -d 'Give out signatures, as lines or as files'
complete -c breakglass -n "__fish_breakglass_needs_command" -f -a "broadcast" -d 'At threshold: send it, wait, and prove its effect on chain'
complete -c breakglass -n "__fish_breakglass_needs_command" -f -a "hash" -d 'Domain hash, message hash and safeTxHash of a transaction; no network'
complete -c breakglass -n "__fish_breakglass_needs_command" -f -a "device" -d 'Is the Ledger ready, and whose keys does it hold?'
complete -c breakglass -n "__fish_breakglass_needs_command" -f -a "playbook" -d 'The playbooks at hand'
complete -c breakglass -n "__fish_breakglass_needs_command" -f -a "init" -d 'Write a first council file, from a Safe on chain'
complete -c breakglass -n "__fish_breakglass_needs_command" -f -a "completions" -d 'Print a shell\'s completion script'
complete -c breakglass -n "__fish_breakglass_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c breakglass -n "__fish_breakglass_using_subcommand pause" -l playbook -d 'Without a lever: the playbook\'s id' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand pause" -l safe -d 'Without a lever: the Safe\'s name' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand pause" -l set -d 'An argument that the lever leaves open; may be given again' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand pause" -l nonce -d 'Another Safe nonce than the next one' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand pause" -l accept -d 'Accept a refusal by its id; it is recorded and shown to every later signer' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand pause" -l council -d 'The council file [default: breakglass.toml here or in a folder above]' -r -F
complete -c breakglass -n "__fish_breakglass_using_subcommand pause" -l quorum -d 'How many RPCs must agree, for this run, in place of the council file\'s number; a smaller one is recorded' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand pause" -l undo -d 'The lever\'s counter-playbook, with every check'
complete -c breakglass -n "__fish_breakglass_using_subcommand pause" -l proofs -d 'Verify every value with proofs (eth_getProof) against the state root of its block; takes one more round'
complete -c breakglass -n "__fish_breakglass_using_subcommand pause" -l json -d 'Print one JSON object on standard output'
complete -c breakglass -n "__fish_breakglass_using_subcommand pause" -s h -l help -d 'Print help'
complete -c breakglass -n "__fish_breakglass_using_subcommand param" -l playbook -d 'Without a lever: the playbook\'s id' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand param" -l safe -d 'Without a lever: the Safe\'s name' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand param" -l set -d 'An argument that the lever leaves open; may be given again' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand param" -l nonce -d 'Another Safe nonce than the next one' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand param" -l accept -d 'Accept a refusal by its id; it is recorded and shown to every later signer' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand param" -l council -d 'The council file [default: breakglass.toml here or in a folder above]' -r -F
complete -c breakglass -n "__fish_breakglass_using_subcommand param" -l quorum -d 'How many RPCs must agree, for this run, in place of the council file\'s number; a smaller one is recorded' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand param" -l undo -d 'The lever\'s counter-playbook, with every check'
complete -c breakglass -n "__fish_breakglass_using_subcommand param" -l proofs -d 'Verify every value with proofs (eth_getProof) against the state root of its block; takes one more round'
complete -c breakglass -n "__fish_breakglass_using_subcommand param" -l json -d 'Print one JSON object on standard output'
complete -c breakglass -n "__fish_breakglass_using_subcommand param" -s h -l help -d 'Print help'
complete -c breakglass -n "__fish_breakglass_using_subcommand rotate" -l playbook -d 'Without a lever: the playbook\'s id' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand rotate" -l safe -d 'Without a lever: the Safe\'s name' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand rotate" -l set -d 'An argument that the lever leaves open; may be given again' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand rotate" -l nonce -d 'Another Safe nonce than the next one' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand rotate" -l accept -d 'Accept a refusal by its id; it is recorded and shown to every later signer' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand rotate" -l council -d 'The council file [default: breakglass.toml here or in a folder above]' -r -F
complete -c breakglass -n "__fish_breakglass_using_subcommand rotate" -l quorum -d 'How many RPCs must agree, for this run, in place of the council file\'s number; a smaller one is recorded' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand rotate" -l undo -d 'The lever\'s counter-playbook, with every check'
complete -c breakglass -n "__fish_breakglass_using_subcommand rotate" -l proofs -d 'Verify every value with proofs (eth_getProof) against the state root of its block; takes one more round'
complete -c breakglass -n "__fish_breakglass_using_subcommand rotate" -l json -d 'Print one JSON object on standard output'
complete -c breakglass -n "__fish_breakglass_using_subcommand rotate" -s h -l help -d 'Print help'
complete -c breakglass -n "__fish_breakglass_using_subcommand dry-run" -l set -d 'An argument that the lever leaves open; may be given again' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand dry-run" -l nonce -d 'Another Safe nonce than the next one' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand dry-run" -l at -d 'After this block instead of the latest' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand dry-run" -l fork-url -d 'On this RPC alone, a running anvil for instance; \'${NAME}\' for one that an environment variable holds' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand dry-run" -l council -d 'The council file [default: breakglass.toml here or in a folder above]' -r -F
complete -c breakglass -n "__fish_breakglass_using_subcommand dry-run" -l quorum -d 'How many RPCs must agree, for this run, in place of the council file\'s number; a smaller one is recorded' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand dry-run" -l undo -d 'The lever\'s counter-playbook, with every check'
complete -c breakglass -n "__fish_breakglass_using_subcommand dry-run" -l proofs -d 'Verify every value with proofs (eth_getProof) against the state root of its block; takes one more round'
complete -c breakglass -n "__fish_breakglass_using_subcommand dry-run" -l trace -d 'Show every call that it makes'
complete -c breakglass -n "__fish_breakglass_using_subcommand dry-run" -l json -d 'Print one JSON object on standard output'
complete -c breakglass -n "__fish_breakglass_using_subcommand dry-run" -s h -l help -d 'Print help'
complete -c breakglass -n "__fish_breakglass_using_subcommand sign" -l ledger -d 'Use the Ledger that is plugged in, or an emulator at tcp://HOST:PORT' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand sign" -l ledger-serial -d 'Which Ledger, where several are plugged in: its serial number, or its path where two have the same' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand sign" -l model -d 'Which model an emulator is: nanos, nanox, nanosp, stax, flex or apex_p; over USB the device says it' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand sign" -l timeout -d 'How long to wait until the Ledger is ready, in seconds; a review takes as long as its person needs' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand sign" -l keystore -d 'Encrypted keystore file (Web3 Secret Storage)' -r -F
complete -c breakglass -n "__fish_breakglass_using_subcommand sign" -l password-file -d 'File whose first line is the keystore\'s password [default: asked for]' -r -F
complete -c breakglass -n "__fish_breakglass_using_subcommand sign" -l set -d 'An argument that the lever leaves open; may be given again' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand sign" -l nonce -d 'Another Safe nonce than the next one' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand sign" -l accept -d 'Accept a refusal by its id; it is recorded and shown to every later signer' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand sign" -l as -d 'Sign as this signer of the council file, where a Ledger holds the keys of several [default: me in your settings]' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand sign" -l council -d 'The council file [default: breakglass.toml here or in a folder above]' -r -F
complete -c breakglass -n "__fish_breakglass_using_subcommand sign" -l quorum -d 'How many RPCs must agree, for this run, in place of the council file\'s number; a smaller one is recorded' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand sign" -l undo -d 'The lever\'s counter-playbook, with every check'
complete -c breakglass -n "__fish_breakglass_using_subcommand sign" -l proofs -d 'Verify every value with proofs (eth_getProof) against the state root of its block; takes one more round'
complete -c breakglass -n "__fish_breakglass_using_subcommand sign" -l offline -d 'Ask nothing of the network; says what could not be checked'
complete -c breakglass -n "__fish_breakglass_using_subcommand sign" -l yes -d 'Sign without asking, after the review is printed; a Ledger asks on its own screen in any case'
complete -c breakglass -n "__fish_breakglass_using_subcommand sign" -l fields -d 'Give the Ledger every field, as is usual where its app takes them'
complete -c breakglass -n "__fish_breakglass_using_subcommand sign" -l hashes -d 'Give the Ledger the two hashes only: it then shows nothing else of what is signed'
complete -c breakglass -n "__fish_breakglass_using_subcommand sign" -l eth-sign -d 'Sign as a personal message (eth_sign), for Safes from 1.1.1 on: a Ledger shows the whole safeTxHash in 4 presses'
complete -c breakglass -n "__fish_breakglass_using_subcommand sign" -l unseen -d 'Accept that the Ledger shows neither all of the data nor a hash of it'
complete -c breakglass -n "__fish_breakglass_using_subcommand sign" -l json -d 'Print one JSON object on standard output'
complete -c breakglass -n "__fish_breakglass_using_subcommand sign" -s h -l help -d 'Print help'
complete -c breakglass -n "__fish_breakglass_using_subcommand check" -l set -d 'An argument that the lever leaves open; may be given again' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand check" -l nonce -d 'Another Safe nonce than the next one' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand check" -l council -d 'The council file [default: breakglass.toml here or in a folder above]' -r -F
complete -c breakglass -n "__fish_breakglass_using_subcommand check" -l quorum -d 'How many RPCs must agree, for this run, in place of the council file\'s number; a smaller one is recorded' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand check" -l undo -d 'The lever\'s counter-playbook, with every check'
complete -c breakglass -n "__fish_breakglass_using_subcommand check" -l proofs -d 'Verify every value with proofs (eth_getProof) against the state root of its block; takes one more round'
complete -c breakglass -n "__fish_breakglass_using_subcommand check" -l json -d 'Print one JSON object on standard output'
complete -c breakglass -n "__fish_breakglass_using_subcommand check" -s h -l help -d 'Print help'
complete -c breakglass -n "__fish_breakglass_using_subcommand status" -l set -d 'An argument that the lever leaves open; may be given again' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand status" -l nonce -d 'Another Safe nonce than the next one' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand status" -l council -d 'The council file [default: breakglass.toml here or in a folder above]' -r -F
complete -c breakglass -n "__fish_breakglass_using_subcommand status" -l quorum -d 'How many RPCs must agree, for this run, in place of the council file\'s number; a smaller one is recorded' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand status" -l undo -d 'The lever\'s counter-playbook, with every check'
complete -c breakglass -n "__fish_breakglass_using_subcommand status" -l proofs -d 'Verify every value with proofs (eth_getProof) against the state root of its block; takes one more round'
complete -c breakglass -n "__fish_breakglass_using_subcommand status" -l json -d 'Print one JSON object on standard output'
complete -c breakglass -n "__fish_breakglass_using_subcommand status" -s h -l help -d 'Print help'
complete -c breakglass -n "__fish_breakglass_using_subcommand import" -l set -d 'An argument that the lever leaves open; may be given again' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand import" -l nonce -d 'Another Safe nonce than the next one' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand import" -l council -d 'The council file [default: breakglass.toml here or in a folder above]' -r -F
complete -c breakglass -n "__fish_breakglass_using_subcommand import" -l quorum -d 'How many RPCs must agree, for this run, in place of the council file\'s number; a smaller one is recorded' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand import" -l undo -d 'The lever\'s counter-playbook, with every check'
complete -c breakglass -n "__fish_breakglass_using_subcommand import" -l json -d 'Print one JSON object on standard output'
complete -c breakglass -n "__fish_breakglass_using_subcommand import" -s h -l help -d 'Print help'
complete -c breakglass -n "__fish_breakglass_using_subcommand export" -l to -d 'Copy the proposal and its signatures into this folder instead of printing lines' -r -F
complete -c breakglass -n "__fish_breakglass_using_subcommand export" -l set -d 'An argument that the lever leaves open; may be given again' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand export" -l nonce -d 'Another Safe nonce than the next one' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand export" -l council -d 'The council file [default: breakglass.toml here or in a folder above]' -r -F
complete -c breakglass -n "__fish_breakglass_using_subcommand export" -l quorum -d 'How many RPCs must agree, for this run, in place of the council file\'s number; a smaller one is recorded' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand export" -l undo -d 'The lever\'s counter-playbook, with every check'
complete -c breakglass -n "__fish_breakglass_using_subcommand export" -l json -d 'Print one JSON object on standard output'
complete -c breakglass -n "__fish_breakglass_using_subcommand export" -s h -l help -d 'Print help'
complete -c breakglass -n "__fish_breakglass_using_subcommand broadcast" -l ledger -d 'Use the Ledger that is plugged in, or an emulator at tcp://HOST:PORT' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand broadcast" -l ledger-serial -d 'Which Ledger, where several are plugged in: its serial number, or its path where two have the same' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand broadcast" -l model -d 'Which model an emulator is: nanos, nanox, nanosp, stax, flex or apex_p; over USB the device says it' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand broadcast" -l timeout -d 'How long to wait until the Ledger is ready, in seconds; a review takes as long as its person needs' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand broadcast" -l keystore -d 'Encrypted keystore file (Web3 Secret Storage)' -r -F
complete -c breakglass -n "__fish_breakglass_using_subcommand broadcast" -l password-file -d 'File whose first line is the keystore\'s password [default: asked for]' -r -F
complete -c breakglass -n "__fish_breakglass_using_subcommand broadcast" -l set -d 'An argument that the lever leaves open; may be given again' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand broadcast" -l nonce -d 'Another Safe nonce than the next one' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand broadcast" -l accept -d 'Accept a refusal by its id; it is recorded and shown to every later signer' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand broadcast" -l confirm -d 'Send without asking; NAME is the Safe\'s name in your council file' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand broadcast" -l max-fee -d 'The most to pay per unit of gas, in gwei' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand broadcast" -l priority-fee -d 'The tip per unit of gas in gwei, in place of what the RPCs suggest: 2 or 1.5, at most --max-fee' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand broadcast" -l gas -d 'The gas to send it with, where no RPC can estimate it; checked like an estimate' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand broadcast" -l confirmations -d 'Once it is proven, wait until its block and those after it are this many' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand broadcast" -l wait -d 'How long to wait for the transaction to be mined, in seconds' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand broadcast" -l council -d 'The council file [default: breakglass.toml here or in a folder above]' -r -F
complete -c breakglass -n "__fish_breakglass_using_subcommand broadcast" -l quorum -d 'How many RPCs must agree, for this run, in place of the council file\'s number; a smaller one is recorded' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand broadcast" -l undo -d 'The lever\'s counter-playbook, with every check'
complete -c breakglass -n "__fish_breakglass_using_subcommand broadcast" -l proofs -d 'Verify every value with proofs (eth_getProof) against the state root of its block; takes one more round'
complete -c breakglass -n "__fish_breakglass_using_subcommand broadcast" -l calldata -d 'Send nothing: print the call for somebody else to send'
complete -c breakglass -n "__fish_breakglass_using_subcommand broadcast" -l finalized -d 'Once it is proven, wait until the chain calls its block final'
complete -c breakglass -n "__fish_breakglass_using_subcommand broadcast" -l json -d 'Print one JSON object on standard output'
complete -c breakglass -n "__fish_breakglass_using_subcommand broadcast" -s h -l help -d 'Print help'
complete -c breakglass -n "__fish_breakglass_using_subcommand hash" -l chain-id -r
complete -c breakglass -n "__fish_breakglass_using_subcommand hash" -l safe -r
complete -c breakglass -n "__fish_breakglass_using_subcommand hash" -l safe-version -r
complete -c breakglass -n "__fish_breakglass_using_subcommand hash" -l to -r
complete -c breakglass -n "__fish_breakglass_using_subcommand hash" -l value -d 'In wei' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand hash" -l data -d 'Hexadecimal, or @FILE for long data' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand hash" -l operation -r -f -a "call\t''
delegatecall\t''"
complete -c breakglass -n "__fish_breakglass_using_subcommand hash" -l safe-tx-gas -r
complete -c breakglass -n "__fish_breakglass_using_subcommand hash" -l base-gas -r
complete -c breakglass -n "__fish_breakglass_using_subcommand hash" -l gas-price -r
complete -c breakglass -n "__fish_breakglass_using_subcommand hash" -l gas-token -r
complete -c breakglass -n "__fish_breakglass_using_subcommand hash" -l refund-receiver -r
complete -c breakglass -n "__fish_breakglass_using_subcommand hash" -l nonce -r
complete -c breakglass -n "__fish_breakglass_using_subcommand hash" -l council -d 'The council file [default: breakglass.toml here or in a folder above]' -r -F
complete -c breakglass -n "__fish_breakglass_using_subcommand hash" -l quorum -d 'How many RPCs must agree, for this run, in place of the council file\'s number; a smaller one is recorded' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand hash" -l json -d 'Print one JSON object on standard output'
complete -c breakglass -n "__fish_breakglass_using_subcommand hash" -s h -l help -d 'Print help'
complete -c breakglass -n "__fish_breakglass_using_subcommand device" -l ledger -d 'Use the Ledger that is plugged in, or an emulator at tcp://HOST:PORT' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand device" -l ledger-serial -d 'Which Ledger, where several are plugged in: its serial number, or its path where two have the same' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand device" -l model -d 'Which model an emulator is: nanos, nanox, nanosp, stax, flex or apex_p; over USB the device says it' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand device" -l timeout -d 'How long to wait until the Ledger is ready, in seconds; a review takes as long as its person needs' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand device" -l keystore -d 'Encrypted keystore file (Web3 Secret Storage)' -r -F
complete -c breakglass -n "__fish_breakglass_using_subcommand device" -l password-file -d 'File whose first line is the keystore\'s password [default: asked for]' -r -F
complete -c breakglass -n "__fish_breakglass_using_subcommand device" -l show-address -d 'Show the address at this derivation path on the device\'s own screen' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand device" -l verify -d 'Show a signer\'s address of the council file on the device\'s own screen, and say whether it is the same' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand device" -l install-udev -d 'Install that rule, with sudo; FILE where the system keeps its rules elsewhere' -r -F
complete -c breakglass -n "__fish_breakglass_using_subcommand device" -l council -d 'The council file [default: breakglass.toml here or in a folder above]' -r -F
complete -c breakglass -n "__fish_breakglass_using_subcommand device" -l quorum -d 'How many RPCs must agree, for this run, in place of the council file\'s number; a smaller one is recorded' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand device" -l settings -d 'Say which settings of the Ethereum app are recommended, and how to state yours'
complete -c breakglass -n "__fish_breakglass_using_subcommand device" -l udev -d 'Print the udev rule by which Linux lets a user open a Ledger'
complete -c breakglass -n "__fish_breakglass_using_subcommand device" -l json -d 'Print one JSON object on standard output'
complete -c breakglass -n "__fish_breakglass_using_subcommand device" -s h -l help -d 'Print help'
complete -c breakglass -n "__fish_breakglass_using_subcommand playbook; and not __fish_seen_subcommand_from list show check new test schema help" -l council -d 'The council file [default: breakglass.toml here or in a folder above]' -r -F
complete -c breakglass -n "__fish_breakglass_using_subcommand playbook; and not __fish_seen_subcommand_from list show check new test schema help" -l quorum -d 'How many RPCs must agree, for this run, in place of the council file\'s number; a smaller one is recorded' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand playbook; and not __fish_seen_subcommand_from list show check new test schema help" -l json -d 'Print one JSON object on standard output'
complete -c breakglass -n "__fish_breakglass_using_subcommand playbook; and not __fish_seen_subcommand_from list show check new test schema help" -s h -l help -d 'Print help'
complete -c breakglass -n "__fish_breakglass_using_subcommand playbook; and not __fish_seen_subcommand_from list show check new test schema help" -f -a "list" -d 'Every playbook: your council\'s own, then the built-in ones'
complete -c breakglass -n "__fish_breakglass_using_subcommand playbook; and not __fish_seen_subcommand_from list show check new test schema help" -f -a "show" -d 'One playbook in plain words, with its parameters and an example lever'
complete -c breakglass -n "__fish_breakglass_using_subcommand playbook; and not __fish_seen_subcommand_from list show check new test schema help" -f -a "check" -d 'Read a playbook file, or every one in a folder, and say what is wrong; exit code 1 where something is'
complete -c breakglass -n "__fish_breakglass_using_subcommand playbook; and not __fish_seen_subcommand_from list show check new test schema help" -f -a "new" -d 'Print a first playbook for a function, its checks included: save it below playbooks/ and edit it'
complete -c breakglass -n "__fish_breakglass_using_subcommand playbook; and not __fish_seen_subcommand_from list show check new test schema help" -f -a "test" -d 'Try one on a fork: pull it, take it back, and see it denied to somebody without the role; nothing is sent'
complete -c breakglass -n "__fish_breakglass_using_subcommand playbook; and not __fish_seen_subcommand_from list show check new test schema help" -f -a "schema" -d 'Print the JSON Schema of a playbook\'s file, for editors'
complete -c breakglass -n "__fish_breakglass_using_subcommand playbook; and not __fish_seen_subcommand_from list show check new test schema help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c breakglass -n "__fish_breakglass_using_subcommand playbook; and __fish_seen_subcommand_from list" -l kind -d 'Only this kind: pause, param or rotate' -r -f -a "pause\t''
param\t''
rotate\t''"
complete -c breakglass -n "__fish_breakglass_using_subcommand playbook; and __fish_seen_subcommand_from list" -l family -d 'Only protocols whose name contains this' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand playbook; and __fish_seen_subcommand_from list" -l severity -d 'Only this severity: P1, the gravest, to P5' -r -f -a "P1\t''
P2\t''
P3\t''
P4\t''
P5\t''"
complete -c breakglass -n "__fish_breakglass_using_subcommand playbook; and __fish_seen_subcommand_from list" -l council -d 'The council file [default: breakglass.toml here or in a folder above]' -r -F
complete -c breakglass -n "__fish_breakglass_using_subcommand playbook; and __fish_seen_subcommand_from list" -l quorum -d 'How many RPCs must agree, for this run, in place of the council file\'s number; a smaller one is recorded' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand playbook; and __fish_seen_subcommand_from list" -l json -d 'Print one JSON object on standard output'
complete -c breakglass -n "__fish_breakglass_using_subcommand playbook; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c breakglass -n "__fish_breakglass_using_subcommand playbook; and __fish_seen_subcommand_from show" -l council -d 'The council file [default: breakglass.toml here or in a folder above]' -r -F
complete -c breakglass -n "__fish_breakglass_using_subcommand playbook; and __fish_seen_subcommand_from show" -l quorum -d 'How many RPCs must agree, for this run, in place of the council file\'s number; a smaller one is recorded' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand playbook; and __fish_seen_subcommand_from show" -l json -d 'Print one JSON object on standard output'
complete -c breakglass -n "__fish_breakglass_using_subcommand playbook; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c breakglass -n "__fish_breakglass_using_subcommand playbook; and __fish_seen_subcommand_from check" -l council -d 'The council file [default: breakglass.toml here or in a folder above]' -r -F
complete -c breakglass -n "__fish_breakglass_using_subcommand playbook; and __fish_seen_subcommand_from check" -l quorum -d 'How many RPCs must agree, for this run, in place of the council file\'s number; a smaller one is recorded' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand playbook; and __fish_seen_subcommand_from check" -l json -d 'Print one JSON object on standard output'
complete -c breakglass -n "__fish_breakglass_using_subcommand playbook; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help'
complete -c breakglass -n "__fish_breakglass_using_subcommand playbook; and __fish_seen_subcommand_from new" -l call -d 'The function to call: a signature such as "pause()", or with --abi its name' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand playbook; and __fish_seen_subcommand_from new" -l view -d 'The view that proves it, such as "paused()(bool)"; with --abi its name' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand playbook; and __fish_seen_subcommand_from new" -l abi -d 'The contract\'s ABI as JSON, or an artifact with a field "abi"' -r -F
complete -c breakglass -n "__fish_breakglass_using_subcommand playbook; and __fish_seen_subcommand_from new" -l council -d 'The council file [default: breakglass.toml here or in a folder above]' -r -F
complete -c breakglass -n "__fish_breakglass_using_subcommand playbook; and __fish_seen_subcommand_from new" -l quorum -d 'How many RPCs must agree, for this run, in place of the council file\'s number; a smaller one is recorded' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand playbook; and __fish_seen_subcommand_from new" -l json -d 'Print one JSON object on standard output'
complete -c breakglass -n "__fish_breakglass_using_subcommand playbook; and __fish_seen_subcommand_from new" -s h -l help -d 'Print help'
complete -c breakglass -n "__fish_breakglass_using_subcommand playbook; and __fish_seen_subcommand_from test" -l safe -d 'The Safe of your council file that pulls it [default: the only one]' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand playbook; and __fish_seen_subcommand_from test" -l undo-safe -d 'The Safe that takes it back [default: the same]' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand playbook; and __fish_seen_subcommand_from test" -l set -d 'An argument of the playbook; may be given again' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand playbook; and __fish_seen_subcommand_from test" -l fork-url -d 'On this RPC alone, a running anvil for instance; \'${NAME}\' for one that an environment variable holds' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand playbook; and __fish_seen_subcommand_from test" -l council -d 'The council file [default: breakglass.toml here or in a folder above]' -r -F
complete -c breakglass -n "__fish_breakglass_using_subcommand playbook; and __fish_seen_subcommand_from test" -l quorum -d 'How many RPCs must agree, for this run, in place of the council file\'s number; a smaller one is recorded' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand playbook; and __fish_seen_subcommand_from test" -l json -d 'Print one JSON object on standard output'
complete -c breakglass -n "__fish_breakglass_using_subcommand playbook; and __fish_seen_subcommand_from test" -s h -l help -d 'Print help'
complete -c breakglass -n "__fish_breakglass_using_subcommand playbook; and __fish_seen_subcommand_from schema" -l council -d 'The council file [default: breakglass.toml here or in a folder above]' -r -F
complete -c breakglass -n "__fish_breakglass_using_subcommand playbook; and __fish_seen_subcommand_from schema" -l quorum -d 'How many RPCs must agree, for this run, in place of the council file\'s number; a smaller one is recorded' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand playbook; and __fish_seen_subcommand_from schema" -l json -d 'Print one JSON object on standard output'
complete -c breakglass -n "__fish_breakglass_using_subcommand playbook; and __fish_seen_subcommand_from schema" -s h -l help -d 'Print help'
complete -c breakglass -n "__fish_breakglass_using_subcommand playbook; and __fish_seen_subcommand_from help" -f -a "list" -d 'Every playbook: your council\'s own, then the built-in ones'
complete -c breakglass -n "__fish_breakglass_using_subcommand playbook; and __fish_seen_subcommand_from help" -f -a "show" -d 'One playbook in plain words, with its parameters and an example lever'
complete -c breakglass -n "__fish_breakglass_using_subcommand playbook; and __fish_seen_subcommand_from help" -f -a "check" -d 'Read a playbook file, or every one in a folder, and say what is wrong; exit code 1 where something is'
complete -c breakglass -n "__fish_breakglass_using_subcommand playbook; and __fish_seen_subcommand_from help" -f -a "new" -d 'Print a first playbook for a function, its checks included: save it below playbooks/ and edit it'
complete -c breakglass -n "__fish_breakglass_using_subcommand playbook; and __fish_seen_subcommand_from help" -f -a "test" -d 'Try one on a fork: pull it, take it back, and see it denied to somebody without the role; nothing is sent'
complete -c breakglass -n "__fish_breakglass_using_subcommand playbook; and __fish_seen_subcommand_from help" -f -a "schema" -d 'Print the JSON Schema of a playbook\'s file, for editors'
complete -c breakglass -n "__fish_breakglass_using_subcommand playbook; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c breakglass -n "__fish_breakglass_using_subcommand init" -l safe -d 'The Safe\'s address' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand init" -l rpc -d 'An RPC address; \'${NAME}\' for one that an environment variable holds, as one with a key should be' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand init" -l name -d 'What to call the protocol' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand init" -l chain -d 'What to call the chain [default: its usual name]' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand init" -l safe-name -d 'What to call the Safe' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand init" -l council -d 'The council file [default: breakglass.toml here or in a folder above]' -r -F
complete -c breakglass -n "__fish_breakglass_using_subcommand init" -l quorum -d 'How many RPCs must agree, for this run, in place of the council file\'s number; a smaller one is recorded' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand init" -l json -d 'Print one JSON object on standard output'
complete -c breakglass -n "__fish_breakglass_using_subcommand init" -s h -l help -d 'Print help'
complete -c breakglass -n "__fish_breakglass_using_subcommand completions" -l council -d 'The council file [default: breakglass.toml here or in a folder above]' -r -F
complete -c breakglass -n "__fish_breakglass_using_subcommand completions" -l quorum -d 'How many RPCs must agree, for this run, in place of the council file\'s number; a smaller one is recorded' -r
complete -c breakglass -n "__fish_breakglass_using_subcommand completions" -l json -d 'Print one JSON object on standard output'
complete -c breakglass -n "__fish_breakglass_using_subcommand completions" -s h -l help -d 'Print help'
complete -c breakglass -n "__fish_breakglass_using_subcommand help; and not __fish_seen_subcommand_from pause param rotate dry-run sign check status import export broadcast hash device playbook init completions help" -f -a "pause" -d 'Propose a pause: plan, review, proposal file'
complete -c breakglass -n "__fish_breakglass_using_subcommand help; and not __fish_seen_subcommand_from pause param rotate dry-run sign check status import export broadcast hash device playbook init completions help" -f -a "param" -d 'Propose a parameter change'
complete -c breakglass -n "__fish_breakglass_using_subcommand help; and not __fish_seen_subcommand_from pause param rotate dry-run sign check status import export broadcast hash device playbook init completions help" -f -a "rotate" -d 'Propose a change of keys, roles or owners'
complete -c breakglass -n "__fish_breakglass_using_subcommand help; and not __fish_seen_subcommand_from pause param rotate dry-run sign check status import export broadcast hash device playbook init completions help" -f -a "dry-run" -d 'Rehearse it now: what it would change, without sending anything'
complete -c breakglass -n "__fish_breakglass_using_subcommand help; and not __fish_seen_subcommand_from pause param rotate dry-run sign check status import export broadcast hash device playbook init completions help" -f -a "sign" -d 'Derive or load, check, show, sign'
complete -c breakglass -n "__fish_breakglass_using_subcommand help; and not __fish_seen_subcommand_from pause param rotate dry-run sign check status import export broadcast hash device playbook init completions help" -f -a "check" -d 'Every finding about a proposal, those that pass too'
complete -c breakglass -n "__fish_breakglass_using_subcommand help; and not __fish_seen_subcommand_from pause param rotate dry-run sign check status import export broadcast hash device playbook init completions help" -f -a "status" -d 'Who has signed, what is missing, what has drifted'
complete -c breakglass -n "__fish_breakglass_using_subcommand help; and not __fish_seen_subcommand_from pause param rotate dry-run sign check status import export broadcast hash device playbook init completions help" -f -a "import" -d 'Take in signatures: files, folders, lines, a whole pasted chat'
complete -c breakglass -n "__fish_breakglass_using_subcommand help; and not __fish_seen_subcommand_from pause param rotate dry-run sign check status import export broadcast hash device playbook init completions help" -f -a "export" -d 'Give out signatures, as lines or as files'
complete -c breakglass -n "__fish_breakglass_using_subcommand help; and not __fish_seen_subcommand_from pause param rotate dry-run sign check status import export broadcast hash device playbook init completions help" -f -a "broadcast" -d 'At threshold: send it, wait, and prove its effect on chain'
complete -c breakglass -n "__fish_breakglass_using_subcommand help; and not __fish_seen_subcommand_from pause param rotate dry-run sign check status import export broadcast hash device playbook init completions help" -f -a "hash" -d 'Domain hash, message hash and safeTxHash of a transaction; no network'
complete -c breakglass -n "__fish_breakglass_using_subcommand help; and not __fish_seen_subcommand_from pause param rotate dry-run sign check status import export broadcast hash device playbook init completions help" -f -a "device" -d 'Is the Ledger ready, and whose keys does it hold?'
complete -c breakglass -n "__fish_breakglass_using_subcommand help; and not __fish_seen_subcommand_from pause param rotate dry-run sign check status import export broadcast hash device playbook init completions help" -f -a "playbook" -d 'The playbooks at hand'
complete -c breakglass -n "__fish_breakglass_using_subcommand help; and not __fish_seen_subcommand_from pause param rotate dry-run sign check status import export broadcast hash device playbook init completions help" -f -a "init" -d 'Write a first council file, from a Safe on chain'
complete -c breakglass -n "__fish_breakglass_using_subcommand help; and not __fish_seen_subcommand_from pause param rotate dry-run sign check status import export broadcast hash device playbook init completions help" -f -a "completions" -d 'Print a shell\'s completion script'
complete -c breakglass -n "__fish_breakglass_using_subcommand help; and not __fish_seen_subcommand_from pause param rotate dry-run sign check status import export broadcast hash device playbook init completions help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c breakglass -n "__fish_breakglass_using_subcommand help; and __fish_seen_subcommand_from playbook" -f -a "list" -d 'Every playbook: your council\'s own, then the built-in ones'
complete -c breakglass -n "__fish_breakglass_using_subcommand help; and __fish_seen_subcommand_from playbook" -f -a "show" -d 'One playbook in plain words, with its parameters and an example lever'
complete -c breakglass -n "__fish_breakglass_using_subcommand help; and __fish_seen_subcommand_from playbook" -f -a "check" -d 'Read a playbook file, or every one in a folder, and say what is wrong; exit code 1 where something is'
complete -c breakglass -n "__fish_breakglass_using_subcommand help; and __fish_seen_subcommand_from playbook" -f -a "new" -d 'Print a first playbook for a function, its checks included: save it below playbooks/ and edit it'
complete -c breakglass -n "__fish_breakglass_using_subcommand help; and __fish_seen_subcommand_from playbook" -f -a "test" -d 'Try one on a fork: pull it, take it back, and see it denied to somebody without the role; nothing is sent'
complete -c breakglass -n "__fish_breakglass_using_subcommand help; and __fish_seen_subcommand_from playbook" -f -a "schema" -d 'Print the JSON Schema of a playbook\'s file, for editors'
