//! Faults below JSON-RPC: busy servers, rate limits, broken connections, endless and packed answers.

use super::*;

#[test]
fn a_busy_server_is_asked_again() {
    for (status, headers) in [(429, "retry-after: 0\r\n"), (503, ""), (500, "")] {
        let server = Server::new(move |n, body| match n {
            0 => Act::Answer { status, headers, body: "busy".into() },
            _ => Act::ok(&reply(body, &good(9))),
        });
        let chain = chain(&[&server], 1);
        assert_eq!(read(&chain), Ok((9, json!("0x5"))), "{status}");
        assert_eq!((chain.rounds(), server.hits()), (2, 2));
    }
}

#[test]
fn a_server_that_stays_busy_is_given_up() {
    let server =
        Server::new(|_, _| Act::Answer { status: 429, headers: "retry-after: 0\r\n", body: String::new() });
    assert_eq!(fault(&server), EndpointFault::Throttled { wait: Some(0) });
    assert_eq!(server.hits(), 3);
    let patient = Server::new(|_, _| Act::Answer {
        status: 429,
        headers: "retry-after: 3600\r\n",
        body: String::new(),
    });
    assert_eq!(fault(&patient), EndpointFault::Throttled { wait: Some(3600) });
    assert_eq!(patient.hits(), 1);
}

#[test]
fn a_rate_limit_inside_the_answer_is_asked_again() {
    let server = Server::new(|n, body| match n {
        0 => Act::ok(&reply(body, &|_, _| json!({"error": {"code": 429, "message": "slow down"}}))),
        _ => Act::ok(&reply(body, &good(9))),
    });
    assert_eq!(read(&chain(&[&server], 1)), Ok((9, json!("0x5"))));
}

#[test]
fn a_broken_connection_is_tried_again() {
    let server = Server::new(|n, body| match n {
        0 => Act::Drop,
        _ => Act::ok(&reply(body, &good(9))),
    });
    assert_eq!(read(&chain(&[&server], 1)), Ok((9, json!("0x5"))));
}

#[test]
fn other_statuses_are_faults_at_once() {
    for status in [301, 302, 401, 403, 404] {
        let server = Server::new(move |_, _| Act::Answer {
            status,
            headers: "location: http://127.0.0.1:1/\r\n",
            body: "no".into(),
        });
        assert_eq!(fault(&server), EndpointFault::Http(status));
        assert_eq!(server.hits(), 1);
    }
    assert_eq!(fault(&Server::new(|_, _| Act::status(404))), EndpointFault::Http(404));
}

#[test]
fn an_endless_answer_is_cut_off() {
    let server = Server::new(|_, _| Act::Flood(200 << 20));
    assert_eq!(fault_of(&patient(&[&server], 1)), EndpointFault::TooLarge);
}

#[test]
fn a_packed_answer_is_read_and_its_unpacked_size_is_bounded() {
    let server = Server::new(|_, body| Act::Packed(reply(body, &good(9)).to_string().into_bytes()));
    assert_eq!(read(&chain(&[&server], 1)), Ok((9, json!("0x5"))));
    let bomb = Server::new(|_, _| Act::Packed(vec![b' '; 65 << 20]));
    let error = read(&patient(&[&bomb], 1)).unwrap_err().to_string();
    assert!(error.ends_with(&EndpointFault::TooLarge.to_string()), "{error}");
}
