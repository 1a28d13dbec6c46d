//! The playground page of `dev` and its files, over HTTP.

use roomcast_tests::{Bridge, Process, Response};

/// The values of all attributes with this name.
fn attributes<'a>(page: &'a str, name: &str) -> Vec<&'a str> {
    page.split(&format!(" {name}=\""))
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect()
}

fn check_page(page: &Response) {
    assert!(
        page.status == 200 && page.body.contains("<title>Roomcast"),
        "{page:?}"
    );
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(page.header("cache-control"), Some("no-cache"));
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
    let policy = page.header("content-security-policy").unwrap();
    for part in [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "frame-ancestors 'none'",
    ] {
        assert!(
            policy.split("; ").any(|directive| directive == part),
            "{part} in {policy}"
        );
    }
    assert!(
        !policy.contains("unsafe") && !policy.contains("https:") && !policy.contains("ws: "),
        "{policy}"
    );
}

fn check_file(path: &str, file: &Response) {
    assert!(
        file.status == 200 && !file.body.is_empty(),
        "{path} {}",
        file.status
    );
    let kind = file.header("content-type").unwrap();
    let expected = match path.rsplit_once('.').unwrap().1 {
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "woff2" => "font/woff2",
        other => panic!("{other} of {path}"),
    };
    assert_eq!(kind, expected, "{path}");
    assert_eq!(file.header("x-content-type-options"), Some("nosniff"), "{path}");
    let kept = file.header("cache-control").unwrap();
    assert!(kept == "no-cache" || kept.ends_with("immutable"), "{path} {kept}");
}

#[tokio::test]
async fn the_page_and_its_files_are_served_with_their_types() {
    let dev = Process::dev(&[]).await;
    let bridge = Bridge::of(&dev);
    let page = bridge.request("GET /?user=bob", &[], "").await;
    check_page(&page);

    let of = |name| attributes(&page.body, name);
    let files: Vec<_> = [of("src"), of("href")].concat();
    let own: Vec<_> = files.into_iter().filter(|path| path.starts_with('/')).collect();
    assert!(own.iter().any(|path| path.ends_with(".js")), "{}", page.body);
    assert!(own.iter().any(|path| path.ends_with(".css")), "{}", page.body);
    for path in own {
        check_file(path, &bridge.request(&format!("GET {path}"), &[], "").await);
    }
    for path in [
        "/other",
        "/assets/",
        "/assets/other.js",
        "/../Cargo.toml",
        "/%2e%2e/Cargo.toml",
    ] {
        let status = bridge.request(&format!("GET {path}"), &[], "").await.status;
        assert_eq!(status, 404, "{path}");
    }
}
