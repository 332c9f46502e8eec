use std::collections::{BTreeSet, HashMap};

use proptest::prelude::*;

use super::*;
use crate::model::validation::Violation;
use crate::model::{FileType, ReadSetId};
use crate::read_set::{ImportReadSetSource, SourceFiles};

const ROLE: &str = "arn:aws:iam::123456789012:role/Omics";

fn export() -> Planner<Export> {
    Planner::export("run-7".into(), "1234567890".into(), "s3://bucket/out/".into(), ROLE.into())
}

fn import() -> Planner<Import> {
    Planner::import("run-7".into(), "1234567890".into(), ROLE.into()).parameter_validation(false)
}

fn activation() -> Planner<Activation> {
    Planner::activation("run-7".into(), "1234567890".into())
}

fn ids(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("{:010}", 5_000_000_000 + n)).collect()
}

fn source(name: &str) -> ImportReadSetSource {
    let files = SourceFiles::source1(format!("s3://bucket/{name}_1.fastq.gz"));
    ImportReadSetSource::builder()
        .source_files(files.source2(format!("s3://bucket/{name}_2.fastq.gz")))
        .source_file_type(FileType::Fastq)
        .subject_id("HG00146")
        .sample_id(name)
        .generated_from("run 7")
        .reference_arn("arn:aws:omics:us-east-1:123456789012:referenceStore/1/reference/1")
        .name("a name")
        .description("a description")
        .tag("project", "1000 Genomes")
        .build()
}

fn tokens<K: BulkKind>(plan: &Plan<K>) -> Vec<String> {
    plan.groups().map(|group| group.client_token().into()).collect()
}

fn only_token<K: BulkKind, I: Into<K::Item>>(planner: Planner<K>, items: impl IntoIterator<Item = I>) -> String {
    let plan = planner.plan(items).unwrap();
    assert_eq!(plan.group_count(), 1);
    tokens(&plan).remove(0)
}

/// Computed by another program (Python's hashlib). They must never change: a run that is resumed after an
/// update would start its indeterminate jobs twice.
#[test]
fn tokens_do_not_change() {
    let exports = only_token(export(), ["5555555555", "5555555556"]);
    assert_eq!(exports, "bulk1-efafdaf5bc1bcbee35078258adb17dbef04675eaa7fbd76ab4ed12ae843d94f3");
    let activations = only_token(activation(), ["5555555555", "5555555556"]);
    assert_eq!(activations, "bulk1-44883fea02fb604f97c2cea9ee2fb55be3981a2398ed637852803082810f35e9");
    let bare = ImportReadSetSource::builder()
        .source_files("s3://bucket/é.bam")
        .source_file_type(FileType::Ubam)
        .subject_id("S")
        .sample_id("s")
        .build();
    let imports = only_token(import(), [source("SRR233106"), bare]);
    assert_eq!(imports, "bulk1-4fa92983d91647f14f3d4177433891974306f995a21ad8117f1e73e7f2eaf8c5");
    assert!(imports.len() <= 127);
}

#[test]
fn the_digest_of_a_plan_does_not_change() {
    let plan = export().group_size(2).duplicates(Duplicates::Drop).plan([
        "5555555555",
        "5555555556",
        "5555555555",
        "5555555557",
    ]);
    assert_eq!(plan.unwrap().digest(), "43b624a7a2554aad716f16b1a5e6260c98c43d862216d28e0dc73ce52eb50380");
}

#[test]
fn all_groups_but_the_last_are_full() {
    let plan = export().plan(ids(250)).unwrap();
    let groups: Vec<_> = plan.groups().collect();
    assert_eq!(groups.iter().map(|group| group.items().len()).collect::<Vec<_>>(), [100, 100, 50]);
    assert_eq!(groups.iter().map(Group::index).collect::<Vec<_>>(), [0, 1, 2]);
    assert_eq!(groups[1].positions().collect::<Vec<_>>(), (100..200).collect::<Vec<_>>());
    assert_eq!(groups[2].items()[49], "5000000249");
    assert_eq!(plan.item_count(), 250);

    assert_eq!(activation().plan(ids(250)).unwrap().group_count(), 13);
    assert_eq!(import().plan((0..101).map(|n| source(&n.to_string()))).unwrap().group_count(), 2);
    assert_eq!(export().group_size(1).plan(ids(3)).unwrap().group_count(), 3);
    assert_eq!(export().plan(ids(100)).unwrap().group_count(), 1);
}

#[test]
fn no_items_make_no_groups() {
    let plan = activation().plan(Vec::<ReadSetId>::new()).unwrap();
    assert_eq!((plan.group_count(), plan.groups().len()), (0, 0));
    assert_eq!(plan.shard(3, 4).unwrap().groups().len(), 0);
}

#[test]
fn invalid_group_sizes_are_refused() {
    for (error, expected) in [
        (export().group_size(0).plan(ids(1)).err(), "groups of 0: an export job takes 1 to 100 items"),
        (export().group_size(101).plan(ids(1)).err(), "groups of 101: an export job takes 1 to 100 items"),
        (activation().group_size(21).plan(ids(1)).err(), "groups of 21: an activation job takes 1 to 20 items"),
    ] {
        let text = error.unwrap().to_string();
        assert!(text.starts_with(expected), "{text}");
    }
}

#[test]
fn all_violations_are_reported_with_their_paths() {
    let planner = Planner::export("run 7".into(), "12".into(), "bucket".into(), "role".into());
    let mut items = ids(12_346);
    "12a".clone_into(&mut items[12_345]);
    let Err(BulkError::InvalidInput(violations)) = planner.plan(items) else { panic!("the plan is not refused") };
    let all: Vec<_> = violations.iter().map(ToString::to_string).collect();
    assert_eq!(
        all,
        [
            r#"runId: "run 7" must be 1 to 64 of A-Z a-z 0-9 . _ -"#,
            r#"sequenceStoreId: "12" must be 10 to 36 digits"#,
            r#"destination: "bucket" must be s3://bucket, s3://bucket/ or s3://bucket/prefix/ (ends in /)"#,
            "roleArn: must have 20 to 2048 characters, has 4",
            r#"roleArn: "role" must be "arn:" and the rest of one line"#,
            r#"sources[12345].readSetId: "12a" must be 10 to 36 digits"#,
        ]
    );

    let mut wrong = source("a");
    wrong.subject_id = "".into();
    wrong.source_files.source1 = "s3://bucket".into();
    let Err(error) = import().parameter_validation(true).plan([source("b"), wrong]) else {
        panic!("the plan is not refused")
    };
    assert_eq!(
        error.to_string(),
        "invalid input, nothing was started: sources[1].sourceFiles.source1: \"s3://bucket\" must be s3://bucket/key, the \
         key of 1 to 1024 characters; sources[1].subjectId: must have 1 to 127 characters, has 0"
    );
}

/// The paths of the violations, sorted.
fn paths(violations: &Violations) -> Vec<&str> {
    let mut paths: Vec<_> = violations.iter().map(Violation::field).collect();
    paths.sort_unstable();
    paths
}

fn planning_violations<K: BulkKind>(plan: Result<Plan<K>, BulkError>) -> Violations {
    match plan {
        Err(BulkError::InvalidInput(violations)) => violations,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_single_call_and_a_bulk_run_name_the_same_paths() {
    let client = crate::testing::Script::new([]).client();
    let ids = ["5000000001", "5000000002", "5000000003", "x"];
    let mut sources = ["a", "b", "c", "d"].map(source);
    sources[3].source_files.source2 = Some("bucket".into());
    sources[3].sample_id = "".into();

    let single = client.start_read_set_export_job().sequence_store_id("1").destination("b").role_arn("r");
    let single = single.sources(ids).send().await.unwrap_err();
    let bulk = client.export_read_sets().run_id("run-7").sequence_store_id("1").destination("b").role_arn("r");
    let bulk = planning_violations(bulk.read_sets(ids).plan());
    assert_eq!(paths(single.violations().unwrap()), paths(&bulk));
    let expected = ["destination", "roleArn", "roleArn", "sequenceStoreId", "sources[3].readSetId"];
    assert_eq!(paths(&bulk), expected);

    let single = client.start_read_set_import_job().sequence_store_id("1").role_arn("r");
    let single = single.sources(sources.clone()).send().await.unwrap_err();
    let bulk = client.import_read_sets().run_id("run-7").sequence_store_id("1").role_arn("r");
    let bulk = planning_violations(bulk.sources(sources).plan());
    assert_eq!(paths(single.violations().unwrap()), paths(&bulk));
    let expected = ["roleArn", "roleArn", "sequenceStoreId", "sources[3].sampleId", "sources[3].sourceFiles.source2"];
    assert_eq!(paths(&bulk), expected);

    let single = client.start_read_set_activation_job().sequence_store_id("1").sources(ids).send().await.unwrap_err();
    let bulk = client.activate_read_sets().run_id("run-7").sequence_store_id("1").read_sets(ids).plan();
    let bulk = planning_violations(bulk);
    assert_eq!(paths(single.violations().unwrap()), paths(&bulk));
    assert_eq!(paths(&bulk), ["sequenceStoreId", "sources[3].readSetId"]);
}

#[test]
fn a_thousand_violations_are_kept_and_all_are_counted() {
    let Err(BulkError::InvalidInput(violations)) = export().plan((0..5_000).map(|n| n.to_string())) else {
        panic!("the plan is not refused")
    };
    assert_eq!((violations.iter().len(), violations.len()), (1_000, 5_000));
    assert!(violations.to_string().ends_with("; and 4995 more"), "{violations}");
}

#[test]
fn run_ids_are_checked() {
    for good in ["a", "run-7_A.b", &"x".repeat(64)] {
        let planner = Planner::activation(good.into(), "1234567890".into());
        assert_eq!(planner.plan(ids(1)).unwrap().run_id(), good);
    }
    for bad in ["", " ", "a/b", "é", "a\n", &"x".repeat(65)] {
        let error = Planner::activation(bad.into(), "1234567890".into()).plan(ids(1)).unwrap_err();
        assert!(error.to_string().contains("runId: "), "{error}");
    }
}

#[test]
fn duplicates_are_refused_by_name() {
    let mut items = ids(8);
    items.extend(["5000000003", "5000000000", "5000000003"].map(str::to_owned));
    let error = activation().plan(items.clone()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "3 duplicates, nothing was started: sources[8] \"5000000003\" is sources[3]; sources[9] \"5000000000\" is sources[0]; \
         sources[10] \"5000000003\" is sources[3]; fix the input or have them dropped"
    );
    items.extend(ids(8));
    let error = activation().plan(items).unwrap_err();
    assert!(error.to_string().contains("is sources[1]; and 6 more; fix"), "{error}");
}

#[test]
fn sources_of_the_same_files_are_duplicates() {
    let (mut again, mut half) = (source("a"), source("a"));
    again.sample_id = "another".into();
    half.source_files.source2 = None;
    let error = import().plan([source("a"), half, again]).unwrap_err();
    let expected = r#"sources[2] "s3://bucket/a_1.fastq.gz + s3://bucket/a_2.fastq.gz" is sources[0]"#;
    assert!(error.to_string().contains(expected), "{error}");
}

#[test]
fn dropped_duplicates_do_not_change_positions() {
    let [a, b, c] = ["5000000001", "5000000002", "5000000003"];
    let plan = export().group_size(2).duplicates(Duplicates::Drop).plan([a, a, b, a, c, b]).unwrap();
    let groups: Vec<_> = plan.groups().map(|group| (group.items(), group.positions().collect::<Vec<_>>())).collect();
    assert_eq!(groups, [(&[a.into(), b.into()][..], vec![0, 2]), (&[c.into()][..], vec![4])]);
    let duplicate = |position, first| Duplicate { position, first };
    assert_eq!(plan.duplicates(), [duplicate(1, 0), duplicate(3, 0), duplicate(5, 2)]);

    let clean = export().group_size(2).plan([a, b, c]).unwrap();
    assert_eq!(tokens(&plan), tokens(&clean));
    assert_ne!(plan.digest(), clean.digest());
}

#[test]
fn invalid_shards_are_refused() {
    for (index, count) in [(0, 0), (1, 1), (8, 8), (usize::MAX, 3)] {
        let error = export().plan(ids(1)).unwrap().shard(index, count).unwrap_err();
        assert!(
            matches!(error, BulkError::InvalidShard { index: i, count: c, .. } if (i, c) == (index, count)),
            "{error}"
        );
    }
}

#[test]
fn a_shard_of_a_shard_is_of_the_whole_plan() {
    let plan = export().group_size(1).plan(ids(10)).unwrap();
    let shard = plan.clone().shard(0, 2).unwrap().shard(1, 4).unwrap();
    assert_eq!(shard.groups().map(|group| group.index()).collect::<Vec<_>>(), [1, 5, 9]);
    assert_eq!((shard.digest(), shard.group_count()), (plan.digest(), 10));
}

#[test]
fn tokens_depend_on_the_items_of_a_group_only() {
    let [first, second] = [0, 1].map(|at| export().group_size(50).plan(ids(100)).map(|plan| tokens(&plan)[at].clone()));
    assert_eq!(first.unwrap(), only_token(export(), ids(50)));
    assert_eq!(second.unwrap(), only_token(export().duplicates(Duplicates::Drop), ids(100).split_off(50)));
    assert_ne!(only_token(export(), ids(50)), only_token(export(), ids(51)));
    let reversed = only_token(export(), ids(50).into_iter().rev());
    assert_ne!(only_token(export(), ids(50)), reversed);
}

#[test]
fn every_option_is_in_the_token() {
    let [run, store, to, role] = ["run-7", "1234567890", "s3://bucket/out/", ROLE];
    let token = |run: &str, store: &str, to: &str, role: &str| {
        only_token(Planner::export(run.into(), store.into(), to.into(), role.into()), ids(1))
    };
    let all = [
        token(run, store, to, role),
        token("run-8", store, to, role),
        token(run, "1234567891", to, role),
        token(run, store, "s3://bucket/out2/", role),
        token(run, store, to, &format!("{ROLE}2")),
        only_token(activation(), ids(1)),
    ];
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
}

/// A text that passes the checks, made of pieces that would run into each other without lengths.
fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[ab]{1,3}", Just("sampleId".to_owned()), Just("tagKey".to_owned()), "é{1,2}"]
}

fn sources() -> impl Strategy<Value = ImportReadSetSource> {
    let optional = || prop::option::of(text());
    let tags = prop::option::of(prop::collection::btree_map(text(), text(), 0..3));
    let kind = prop_oneof![Just(FileType::Fastq), Just(FileType::Bam)];
    let texts = (text(), optional(), text(), text(), optional(), optional(), optional(), optional());
    (texts, kind, tags).prop_map(|((one, two, subject, sample, from, reference, name, description), kind, tags)| {
        let mut source = source("x");
        source.source_files.source1 = format!("s3://bucket/{one}").into();
        source.source_files.source2 = two.map(|two| format!("s3://bucket/{two}").into());
        source.source_file_type = kind;
        source.subject_id = subject.into();
        source.sample_id = sample.into();
        source.generated_from = from;
        source.reference_arn = reference.map(|reference| format!("arn:{reference}").into());
        source.name = name;
        source.description = description;
        source.tags = tags;
        source
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn different_items_have_different_tokens(a in prop::collection::vec(sources(), 1..3), b in prop::collection::vec(sources(), 1..3)) {
        let planner = || import().duplicates(Duplicates::Drop);
        let (a, b) = (planner().plan(a).unwrap(), planner().plan(b).unwrap());
        let items = |plan: &Plan<Import>| plan.groups().next().unwrap().items().to_vec();
        prop_assert_eq!(tokens(&a) == tokens(&b), items(&a) == items(&b));
    }

    #[test]
    fn any_change_of_any_field_changes_the_token(before in sources(), field in 0..10_usize, value in text()) {
        let mut after = before.clone();
        match field {
            0 => after.source_files.source1 = format!("s3://bucket/{value}").into(),
            1 => after.source_files.source2 = Some(format!("s3://bucket/{value}").into()),
            2 => after.source_file_type = FileType::Cram,
            3 => after.subject_id = value.into(),
            4 => after.sample_id = value.into(),
            5 => after.generated_from = after.generated_from.is_none().then_some(value),
            6 => after.reference_arn = after.reference_arn.is_none().then(|| format!("arn:{value}").into()),
            7 => after.name = after.name.is_none().then_some(value),
            8 => after.description = after.description.is_none().then_some(value),
            _ => after.tags = after.tags.is_none().then(Default::default),
        }
        let same = before == after;
        prop_assert_eq!(only_token(import(), [before]) == only_token(import(), [after]), same);
    }

    #[test]
    fn shards_are_the_plan_without_overlap(items in 0..300_usize, size in 1..=20_usize, count in 1..12_usize) {
        let plan = activation().group_size(size).plan(ids(items)).unwrap();
        let mut seen = HashMap::new();
        for index in 0..count {
            for group in plan.clone().shard(index, count).unwrap().groups() {
                prop_assert_eq!(group.index() % count, index);
                prop_assert!(seen.insert(group.index(), String::from(group.client_token())).is_none());
            }
        }
        let whole = plan.groups().map(|group| (group.index(), group.client_token().into()));
        prop_assert_eq!(whole.collect::<HashMap<_, _>>(), seen);
    }

    #[test]
    fn every_item_is_planned_once(picks in prop::collection::vec(0..40_usize, 0..120), size in 1..=20_usize) {
        let all = ids(40);
        let input: Vec<_> = picks.iter().map(|pick| all[*pick].clone()).collect();
        let plan = activation().group_size(size).duplicates(Duplicates::Drop).plan(input.clone()).unwrap();
        let mut from = vec![None; input.len()];
        for group in plan.groups() {
            for (position, item) in group.positions().zip(group.items()) {
                prop_assert_eq!(item.as_str(), &input[position]);
                prop_assert!(from[position].replace(position).is_none());
            }
        }
        for duplicate in plan.duplicates() {
            prop_assert_eq!(&input[duplicate.position], &input[duplicate.first]);
            prop_assert!(from[duplicate.first] == Some(duplicate.first));
            prop_assert!(from[duplicate.position].replace(duplicate.first).is_none());
        }
        prop_assert!(from.iter().all(Option::is_some));
        prop_assert_eq!(plan.group_count(), plan.item_count().div_ceil(size));
    }
}
