//! A store that speaks S3, on a port of this machine: real requests, real signatures, files below.

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;

use super::port::Port;
use super::program::Folder;

pub const BUCKET: &str = "hub-files";
const KEY: &str = "praxis-tests";
const SECRET: &str = "an-open-secret-of-the-tests";

/// The store. It has a thread of its own, so that it can be away while a test goes on.
pub struct S3Store {
    folder: Folder,
    port: Port,
    runtime: Option<tokio::runtime::Runtime>,
}

impl S3Store {
    pub fn start() -> Self {
        let folder = Folder::new();
        std::fs::create_dir(folder.path().join(BUCKET)).unwrap();
        let mut store = Self { folder, port: Port::hold(), runtime: None };
        store.resume();
        store
    }

    /// Serves (again), at the same address.
    pub fn resume(&mut self) {
        let service = {
            let files = s3s_fs::FileSystem::new(self.folder.path()).unwrap();
            let mut builder = S3ServiceBuilder::new(files);
            builder.set_auth(SimpleAuth::from_single(KEY, SECRET));
            builder.build()
        };
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = std::net::TcpListener::bind(self.port.address()).unwrap();
        listener.set_nonblocking(true).unwrap();
        runtime.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            loop {
                let Ok((socket, _)) = listener.accept().await else { return };
                let service = service.clone();
                tokio::runtime::Handle::current().spawn(async move {
                    let _ended =
                        Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(socket), service).await;
                });
            }
        });
        self.runtime = Some(runtime);
    }

    /// Is away from now on; what it has stays.
    pub fn stop(&mut self) {
        let runtime = self.runtime.take().unwrap();
        // Elsewhere, as a runtime may not wait inside another. Its port is free when this returns.
        std::thread::spawn(move || runtime.shutdown_timeout(std::time::Duration::from_secs(5))).join().unwrap();
    }

    /// Settings of a hub that keeps its files here.
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        vec![
            ("storage_url", format!("s3://{BUCKET}/hubs/one")),
            ("AWS_ENDPOINT", format!("http://{}", self.port.address())),
            ("AWS_REGION", "eu-west-2".to_owned()),
            ("AWS_ACCESS_KEY_ID", KEY.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", SECRET.to_owned()),
        ]
    }

    /// Names of all files below, of unfinished uploads too.
    pub fn files(&self) -> Vec<String> {
        let mut names = Vec::new();
        let mut dirs = vec![self.folder.path().to_owned()];
        while let Some(dir) = dirs.pop() {
            for entry in std::fs::read_dir(dir).unwrap().map(Result::unwrap) {
                let path = entry.path();
                if path.is_dir() {
                    dirs.push(path);
                } else {
                    names.push(path.strip_prefix(self.folder.path()).unwrap().display().to_string());
                }
            }
        }
        names.sort();
        names
    }
}

impl Drop for S3Store {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
