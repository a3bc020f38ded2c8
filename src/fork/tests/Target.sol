// SPDX-License-Identifier: MIT
pragma solidity ^0.8.24;

/// Everything that a rehearsal has to get right, one function each.
contract Target {
    error Refused(address who, uint256 code);

    event Transfer(address indexed from, address indexed to, uint256 value);

    uint256 public value;
    bool public paused;
    mapping(address => uint256) public balanceOf;
    mapping(uint256 => bytes32) public seen;

    receive() external payable {}

    function pause() external {
        require(!paused, "already paused");
        paused = true;
    }

    function set(uint256 to) external {
        value = to;
    }

    function setAndRestore(uint256 to) external {
        uint256 before = value;
        value = to;
        this.set(before);
    }

    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
        emit Transfer(address(0), to, amount);
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        balanceOf[msg.sender] -= amount;
        balanceOf[to] += amount;
        emit Transfer(msg.sender, to, amount);
        return true;
    }

    function fail(uint256 how) public {
        value = 99;
        if (how == 0) revert Refused(msg.sender, how);
        if (how == 1) revert("no, for a reason");
        if (how == 2) assert(false);
        if (how == 3) {
            assembly {
                revert(0, 0)
            }
        }
        assembly {
            invalid()
        }
    }

    function failDeep(uint256 depth) external {
        if (depth == 0) fail(0);
        this.failDeep(depth - 1);
    }

    /// A reverted call leaves no write; what follows it does.
    function survive(uint256 how) external payable {
        try this.fail{gas: 100000}(how) {} catch {
            seen[how] = keccak256("survived");
            emit Transfer(address(0), msg.sender, how);
        }
    }

    function delegate(address code, bytes calldata data) external {
        (bool ok, bytes memory out) = code.delegatecall(data);
        if (!ok) {
            assembly {
                revert(add(out, 32), mload(out))
            }
        }
    }

    function pay(address payable to, uint256 amount) external {
        (bool ok,) = to.call{value: amount}("");
        require(ok, "not paid");
    }

    function make(uint256 amount) external {
        Child child = new Child{value: amount}(7);
        Child second = new Child{salt: bytes32(uint256(1))}(8);
        value = child.number() + second.number();
    }

    /// Made and gone in one transaction; and one whose constructor fails.
    function makeAndUndo() external payable {
        Child child = new Child{value: msg.value}(7);
        child.end(payable(msg.sender));
        try new Child(0) {} catch {
            seen[1] = bytes32(uint256(1));
        }
    }

    function precompiles(bytes calldata data) external {
        seen[0] = keccak256(abi.encode(ecrecover(keccak256(data), 27, bytes32(uint256(1)), bytes32(uint256(2)))));
        seen[1] = sha256(data);
        seen[2] = bytes32(ripemd160(data));
        (, bytes memory identity) = address(4).staticcall(data);
        seen[3] = keccak256(identity);
        bytes memory power = abi.encode(uint256(32), uint256(32), uint256(32), uint256(3), uint256(65537), uint256(1e18 + 9));
        (, bytes memory modexp) = address(5).staticcall(power);
        seen[4] = bytes32(modexp);
        (, bytes memory sum) = address(6).staticcall(abi.encode(uint256(1), uint256(2), uint256(1), uint256(2)));
        seen[5] = keccak256(sum);
        (, bytes memory blake) = address(9).staticcall(new bytes(213));
        seen[6] = keccak256(blake);
        (, bytes memory p256) = address(256).staticcall(new bytes(160));
        seen[7] = keccak256(p256);
    }

    /// Returns the fields of the block and the transaction.
    function environment() external {
        seen[0] = blockhash(block.number - 1);
        seen[1] = blockhash(block.number - 2);
        seen[2] = bytes32(block.number);
        seen[3] = bytes32(block.timestamp);
        seen[4] = bytes32(block.basefee);
        seen[5] = bytes32(block.chainid);
        seen[6] = bytes32(block.gaslimit);
        seen[7] = bytes32(tx.gasprice);
        seen[8] = bytes32(uint256(uint160(tx.origin)));
        seen[9] = bytes32(address(this).balance);
        seen[10] = bytes32(block.coinbase.balance);
        seen[11] = address(0xdead).codehash;
        seen[12] = msg.sender.codehash;
        seen[13] = bytes32(block.blobbasefee);
    }

    /// Transient storage is gone after the transaction.
    function transient_() external {
        assembly {
            tstore(1, 5)
        }
        this.readTransient();
    }

    function readTransient() external {
        assembly {
            sstore(0, tload(1))
        }
    }

    /// A module of a Safe: acts without signatures.
    function throughModule(address safe, address to, bytes calldata data) external {
        (bool ok,) = safe.call(
            abi.encodeWithSignature("execTransactionFromModule(address,uint256,bytes,uint8)", to, 0, data, 0)
        );
        require(ok, "module failed");
    }

    /// A hundred thousand calls with a megabyte each, if somebody keeps them all.
    function flood(uint256 calls, uint256 size) external {
        assembly {
            for { let i := 0 } lt(i, calls) { i := add(i, 1) } {
                pop(staticcall(gas(), 0x1234, 0, size, 0, 0))
            }
        }
    }
}

contract Child {
    uint256 public number;

    constructor(uint256 n) payable {
        require(n != 0, "no number");
        number = n;
    }

    function end(address payable to) external {
        selfdestruct(to);
    }
}

/// A guard that stops everything.
contract Stopper {
    error Stopped();

    fallback() external {
        revert Stopped();
    }
}
