//! A restore in two stages that dies at any call of either: see [`super::cut`].

use serde_json::json;

use super::cut::{Cut, Scene, each_cut};
use super::*;

/// The event of the second stage, though nobody has started a master in this scene.
fn then(first: &Value) -> Value {
    let mut then = first["then"].clone();
    then["allow_unattached"] = json!(true);
    then
}

/// The first stage dies; the same event goes on, then the second stage, or undo at once.
async fn survive_in_the_first_stage(cut: Cut) {
    let scene = Scene::in_stages().await;
    scene.die(&scene.apply, cut).await;
    let restore = restore(&scene.account).await;
    let mut made = scene.made().await;
    if cut.repeat {
        let first = restore.invoke(scene.apply.clone()).await.unwrap_or_else(|error| panic!("{cut:?}: {error}"));
        assert!(is_accepted(&first), "{cut:?}: {first:#}");
        scene.check_waits(cut).await;
        let second = restore.invoke(then(&first)).await.unwrap_or_else(|error| panic!("{cut:?}: then: {error}"));
        assert!(is_accepted(&second), "{cut:?}: {second:#}");
        made = scene.made().await;
        assert_eq!(second["undo"]["volumes"], made, "{cut:?}");
    }
    scene.undo(&restore, made, cut).await;
}

/// The second stage dies; the same event goes on, or undo at once.
async fn survive_in_the_second_stage(cut: Cut) {
    let scene = Scene::in_stages().await;
    let first = restore(&scene.account).await.invoke(scene.apply.clone()).await.unwrap();
    let of_first = scene.account.all_calls().await.len();
    scene.die_after(of_first, &then(&first), cut).await;
    let restore = restore(&scene.account).await;
    if cut.repeat {
        let second = restore.invoke(then(&first)).await.unwrap_or_else(|error| panic!("{cut:?}: {error}"));
        assert!(is_accepted(&second), "{cut:?}: {second:#}");
    }
    scene.undo(&restore, scene.made().await, cut).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_call_the_first_stage_dies_at_it_goes_on_or_is_undone_and_nothing_is_lost() {
    let whole = Scene::in_stages().await;
    restore(&whole.account).await.invoke(whole.apply.clone()).await.unwrap();
    let calls = whole.account.all_calls().await.len();
    assert!(calls >= 20, "{calls} calls: is that a whole stage?");
    each_cut(calls, &[true, false], survive_in_the_first_stage).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_call_the_second_stage_dies_at_it_goes_on_or_is_undone_and_nothing_is_lost() {
    let whole = Scene::in_stages().await;
    let first = restore(&whole.account).await.invoke(whole.apply.clone()).await.unwrap();
    whole.account.forget_calls().await;
    restore(&whole.account).await.invoke(then(&first)).await.unwrap();
    let calls = whole.account.all_calls().await.len();
    assert!(calls >= 8, "{calls} calls: is that a whole stage?");
    each_cut(calls, &[true, false], survive_in_the_second_stage).await;
}
