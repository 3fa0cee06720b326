//! `/`, `/docs` and their files

use crate::server::Server;

const PATHS: [&str; 5] = ["/", "/docs", "/web/style.css", "/web/page.js", "/web/docs.js"];

#[tokio::test]
async fn the_pages_are_whole_and_load_nothing_from_elsewhere() {
    let server = Server::start().await;
    for path in PATHS {
        let answer = server.get(path).await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(answer.body.len() > 500, "{path}");
        let text = answer.text();
        for foreign in ["src=\"http", "href=\"http", "src=\"//", "@import", "url(http", "eval("] {
            assert!(!text.contains(foreign), "{foreign} in {path}");
        }
        for file in text.split("/web/").skip(1) {
            let name: String =
                file.chars().take_while(|c| c.is_alphanumeric() || *c == '.').collect();
            assert_eq!(server.get(&format!("/web/{name}")).await.status, 200, "{path}: {name}");
        }
    }
    for path in ["/", "/docs"] {
        let answer = server.get(path).await;
        assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    }
}
