//! Generates the Rust code of `proto/` with protox, so that protoc need not be installed.

use std::{env, error::Error, fs, path::PathBuf};

use prost::Message as _;

const INCLUDE: &str = "../../proto";
const FILES: [&str; 2] = [
    "roomcast/v1/session_service.proto",
    "roomcast/v1/edge_service.proto",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={INCLUDE}");
    let descriptors = protox::Compiler::new([INCLUDE])?
        .include_imports(true)
        .include_source_info(true)
        .open_files(FILES)?
        .file_descriptor_set();
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("roomcast.v1.bin"), descriptors.encode_to_vec())?;
    let mut config = tonic_prost_build::Config::new();
    config.enable_type_names();
    config.extern_path(".google.rpc.Status", "::tonic_types::Status");
    tonic_prost_build::configure()
        .codec_path("crate::codec::Codec")
        .emit_rerun_if_changed(false)
        .compile_fds_with_config(descriptors, config)?;
    Ok(())
}
