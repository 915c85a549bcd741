//! Pictures of people, and files that are uploaded.

use image::{DynamicImage, ImageFormat, Rgba, RgbaImage};
use serde_json::json;

use crate::support::{Answer, Client, hub_test};

/// A picture in two colours, so that squeezing and cutting are told apart.
pub fn picture(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let image = RgbaImage::from_fn(width, height, |x, _| {
        if x < width / 2 { Rgba([200, 30, 30, 255]) } else { Rgba([30, 30, 200, 255]) }
    });
    let image = match format {
        ImageFormat::Jpeg => DynamicImage::ImageRgb8(DynamicImage::ImageRgba8(image).to_rgb8()),
        _ => DynamicImage::ImageRgba8(image),
    };
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

pub async fn bytes(client: &Client, path: &str) -> (u16, Vec<u8>, reqwest::header::HeaderMap) {
    let response = client.request("GET", path).send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    (status, response.bytes().await.unwrap().to_vec(), headers)
}

pub async fn put_avatar(client: &Client, kind: &str, body: Vec<u8>) -> Answer {
    client.send(client.request("PUT", "/api/v1/me/avatar").header("Content-Type", kind).body(body)).await
}

hub_test!(async fn a_picture_is_made_of_initials_until_one_is_uploaded(hub) {
    let ada = hub.member("ada").await;
    ada.patch("/api/v1/me", &json!({"display_name": "Ada <b> Love"})).await;
    let space = hub.space(&ada, "open").await;
    hub.topic(&ada, &space, "What visitors read").await;
    let (status, drawn, headers) = bytes(&hub.visitor(), "/people/ada/avatar?v=0").await;
    assert_eq!(status, 200);
    assert_eq!(headers["content-type"], "image/svg+xml");
    assert_eq!(headers["x-content-type-options"], "nosniff");
    let drawn = String::from_utf8(drawn).unwrap();
    assert!(drawn.contains("&#65;&#76;") && !drawn.contains("<b>") && !drawn.contains("style="), "{drawn}");
    assert_eq!(put_avatar(&ada, "image/jpeg", picture(600, 300, ImageFormat::Jpeg)).await.status, 204);
    let url = ada.get("/api/v1/me").await.json()["avatar_url"].as_str().unwrap().to_owned();
    let (status, stored, headers) = bytes(&hub.visitor(), &url).await;
    assert_eq!(status, 200);
    assert_eq!(headers["content-type"], "image/jpeg");
    assert!(headers["cache-control"].to_str().unwrap().contains("immutable"));
    let image = image::load_from_memory(&stored).unwrap();
    assert_eq!((image.width(), image.height()), (256, 256), "cut square, made small");
    let (left, right) = (image.to_rgb8().get_pixel(10, 128).0, image.to_rgb8().get_pixel(245, 128).0);
    assert!(left[0] > 150 && right[2] > 150, "both halves are there: {left:?} {right:?}");
    let (_, _, headers) = bytes(&hub.visitor(), "/people/ada/avatar?v=old").await;
    assert!(!headers["cache-control"].to_str().unwrap().contains("immutable"));
    assert_eq!(ada.delete("/api/v1/me/avatar").await.status, 204);
    hub.settle().await;
    let (_, _, headers) = bytes(&hub.visitor(), &url).await;
    assert_eq!(headers["content-type"], "image/svg+xml");
});

hub_test!(async fn hostile_pictures_change_nothing(hub) {
    let ada = hub.member("ada").await;
    assert_eq!(put_avatar(&ada, "image/png", picture(64, 64, ImageFormat::Png)).await.status, 204);
    let before = ada.get("/api/v1/me").await.json()["avatar_url"].clone();
    let whole = picture(400, 400, ImageFormat::Png);
    let truncated = whole[..whole.len() / 2].to_vec();
    assert_eq!(put_avatar(&ada, "image/png", truncated).await.status, 422);
    // A header that promises more pixels than anybody has memory for.
    let mut bomb = whole.clone();
    bomb[16..24].copy_from_slice(&[0, 0, 0xff, 0xff, 0, 0, 0xff, 0xff]);
    assert_eq!(put_avatar(&ada, "image/png", bomb).await.status, 422);
    let script = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>".to_vec();
    assert_eq!(put_avatar(&ada, "image/svg+xml", script).await.status, 415);
    assert_eq!(put_avatar(&ada, "image/png", b"GIF, honestly".to_vec()).await.status, 415);
    assert_eq!(put_avatar(&ada, "image/png", Vec::new()).await.status, 415);
    assert_eq!(ada.get("/api/v1/me").await.json()["avatar_url"], before);
    assert_eq!(put_avatar(&hub.visitor(), "image/png", whole).await.status, 401);
});

pub async fn upload(client: &Client, name: &str, body: Vec<u8>) -> Answer {
    let part = reqwest::multipart::Part::bytes(body).file_name(name.to_owned());
    let form = reqwest::multipart::Form::new().part("file", part);
    client.send(client.request("POST", "/api/v1/files").multipart(form)).await
}

hub_test!(async fn a_file_is_read_by_its_uploader_and_then_where_it_was_first_used(hub) {
    let ada = hub.member("ada").await;
    let ben = hub.member("ben").await;
    let cleo = hub.member("cleo").await;
    let space = hub.space(&ben, "private").await;
    let file = upload(&ben, "scan \u{202e}é.png", picture(40, 20, ImageFormat::Png)).await;
    assert_eq!(file.status, 201, "{}", file.text);
    let json = file.json();
    assert_eq!(json["media_type"], "image/png");
    assert_eq!((json["width"].as_i64(), json["height"].as_i64()), (Some(40), Some(20)));
    let url = json["url"].as_str().unwrap().to_owned();
    assert_eq!(file.header("location"), url);
    assert_eq!(json["markdown"], format!("![scan é.png]({url})"));
    let (status, stored, headers) = bytes(&ben, &url).await;
    assert_eq!(status, 200);
    assert_eq!(image::guess_format(&stored).unwrap(), ImageFormat::Png);
    assert!(headers["content-disposition"].to_str().unwrap().starts_with("inline;"));
    assert_eq!(headers["content-security-policy"], "sandbox; default-src 'none'");
    for other in [&ada, &cleo, &hub.visitor()] {
        assert_eq!(other.get(&url).await.status, 404, "not used anywhere yet");
    }
    // Somebody else's link makes nothing readable.
    let open = hub.space(&cleo, "open").await;
    let body = json!({"title": "Mine?", "body": json["markdown"], "kind": "discussion", "tags": []});
    assert_eq!(cleo.post(&format!("/api/v1/spaces/{open}/topics"), &body).await.status, 201);
    assert_eq!(cleo.get(&url).await.status, 404);
    let topic = ben.post(&format!("/api/v1/spaces/{space}/topics"), &body).await;
    assert_eq!(topic.status, 201, "{}", topic.text);
    assert_eq!(cleo.get(&url).await.status, 404, "the space is not hers to read");
    assert_eq!(hub.visitor().get(&url).await.status, 404);
    assert_eq!(ben.put(&format!("/api/v1/spaces/{space}/members/cleo")).await.status / 100, 4, "a role is needed");
    let request = ben.request("PUT", &format!("/api/v1/spaces/{space}/members/cleo")).json(&json!({"role": "member"}));
    let joined = ben.send(request).await;
    assert!(joined.status < 300, "{}", joined.text);
    // Whoever has to accept first does; a member reads.
    if cleo.get(&format!("/api/v1/spaces/{space}/topics")).await.status != 200 {
        assert!(cleo.post(&format!("/api/v1/spaces/{space}/join"), &json!({})).await.status < 300);
    }
    assert_eq!(cleo.get(&url).await.status, 200, "she reads where it was used");
    let id = topic.id();
    assert_eq!(ben.delete(&format!("/api/v1/topics/{id}")).await.status, 204);
    assert_eq!(cleo.get(&url).await.status, 404, "what used it is deleted");
    assert_eq!(ben.get(&url).await.status, 200, "it is still his");
});

hub_test!(async fn files_are_what_they_contain_and_nothing_active_is_shown_in_place(hub) {
    let ada = hub.member("ada").await;
    let page = upload(&ada, "page.html", b"<script>alert(1)</script>".to_vec()).await;
    assert_eq!(page.status, 201, "{}", page.text);
    let (_, _, headers) = bytes(&ada, page.json()["url"].as_str().unwrap()).await;
    assert_eq!(headers["content-type"], "text/plain; charset=utf-8");
    assert!(headers["content-disposition"].to_str().unwrap().starts_with("attachment;"));
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert_eq!(page.json()["markdown"], format!("[page.html]({})", page.json()["url"].as_str().unwrap()));
    assert_eq!(upload(&ada, "x.png", vec![0, 1, 2, 3]).await.status, 415);
    let whole = picture(60, 60, ImageFormat::Png);
    assert_eq!(upload(&ada, "x.png", whole[..60].to_vec()).await.status, 422);
    assert_eq!(upload(&ada, "x.png", Vec::new()).await.status, 422);
    assert_eq!(upload(&hub.visitor(), "x.png", whole.clone()).await.status, 401);
    assert_eq!(ada.post("/api/v1/files", &json!({})).await.status, 415);
    // What a camera wrote beside the pixels is gone.
    let mut photo = picture(30, 30, ImageFormat::Jpeg);
    let secret = b"\xff\xfe\x00\x10GPS 51.50,-0.12";
    photo.splice(2..2, secret[..18].iter().copied());
    let photo = upload(&ada, "p.jpg", photo).await;
    assert_eq!(photo.status, 201, "{}", photo.text);
    let (_, stored, _) = bytes(&ada, photo.json()["url"].as_str().unwrap()).await;
    assert!(!stored.windows(3).any(|window| window == b"GPS"));
    assert_eq!(ada.get("/api/v1/files/0000000000000").await.status, 404);
});

hub_test!(async fn the_same_upload_again_is_one_file(hub) {
    let ada = hub.member("ada").await;
    let send = async |text: &[u8]| {
        let part = reqwest::multipart::Part::bytes(text.to_vec()).file_name("a.txt");
        let form = reqwest::multipart::Form::new().part("file", part);
        ada.send(ada.request("POST", "/api/v1/files").header("Idempotency-Key", "k1").multipart(form)).await
    };
    let first = send(b"one").await;
    assert_eq!(first.status, 201);
    assert_eq!(send(b"one").await.id(), first.id());
    assert_eq!(send(b"two").await.status, 409);
    assert_eq!(ada.get(first.json()["url"].as_str().unwrap()).await.text, "one");
});

hub_test!(async fn the_files_of_one_member_weigh_so_much_in_all(hub) {
    let (ada, ben) = (hub.member("ada").await, hub.member("ben").await);
    assert_eq!(upload(&ada, "first.txt", b"first".to_vec()).await.status, 201);
    let full = "UPDATE file SET size = 5368709120 - 10";
    let grown = hub.state().store.write(async move |tx| {
        praxis_server::store::Sql::new(full).run(tx.conn()).await?;
        Ok(())
    });
    grown.await.unwrap();
    let refused = upload(&ada, "more.txt", b"eleven more".to_vec()).await;
    assert_eq!((refused.status, refused.text.contains("space for your files")), (413, true), "{}", refused.text);
    assert_eq!(upload(&ada, "less.txt", b"ten, fits.".to_vec()).await.status, 201);
    assert_eq!(upload(&ben, "his.txt", b"eleven more".to_vec()).await.status, 201, "it is hers alone");
    let uploads = std::fs::read_dir(hub.data_dir.join("uploads/file")).unwrap().count();
    assert_eq!(uploads, 3, "nothing of what was refused is kept");
});
