//! `/jobs/{id}/pairs`

use crate::server::Server;

#[tokio::test]
async fn entries_come_in_order_and_in_pages() {
    let server = Server::start().await;
    let id = server.submit(r#"{"flow":"many","input":20000}"#).await;
    server.outcome(&id).await;
    let first = server.get(&format!("/jobs/{id}/pairs?limit=2")).await;
    assert_eq!(
        first.text(),
        r#"{"items":[{"key":"key 0","value":0},{"key":"key 1","value":1}],"next":"2"}"#
    );
    let mut from = 0;
    let mut path = format!("/jobs/{id}/pairs?limit=999");
    loop {
        let page = server.get(&path).await;
        let items = page.field("items").as_list().unwrap().len();
        assert_eq!(page.word("items/0/key"), format!("key {from}"));
        from += items;
        match page.field("next").as_str() {
            Some(next) => path = format!("/jobs/{id}/pairs?limit=999&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(from, 20_000);
    let past = server.get(&format!("/jobs/{id}/pairs?cursor=20000")).await;
    assert_eq!(past.text(), r#"{"items":[],"next":null}"#);
}

#[tokio::test]
async fn what_is_not_an_object_has_no_entries() {
    let server = Server::start().await;
    for body in [r#"{"flow":"echo","input":[1,2]}"#, r#"{"flow":"broken"}"#, r#"{"flow":"many"}"#] {
        let id = server.submit(body).await;
        server.outcome(&id).await;
        let answer = server.get(&format!("/jobs/{id}/pairs")).await;
        assert_eq!((answer.status, answer.text()), (200, r#"{"items":[],"next":null}"#), "{body}");
    }
}
