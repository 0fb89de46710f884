/** The library behind the command: everything that `goodness` does can be done from here. */
export { type ErrorDetails, GoodnessError } from './base/errors.js';
export { Random } from './base/random.js';
export { formatCsv, parseCsv, type Table } from './data/csv.js';
export * from './data/dataset.js';
export { GESTURES, type GestureOptions, generateGestures } from './data/gestures.js';
export { encodeIdx } from './data/idx.js';
export { type LoadOptions, loadData, loadSamples } from './data/load.js';
export { loadIdxFolder, loadMnist, type TrainTest } from './data/mnist.js';
export { withOthers } from './data/others.js';
export { pool } from './data/pool.js';
export { encodeValues, fitScaling } from './data/scaling.js';
export { applyShift, parseShift, type Shift, shiftHelp } from './data/shift.js';
export { encodeTable, splitTable } from './data/table.js';
export { type TextOptions, textData } from './data/text.js';
export type { Board, BoardId } from './device/boards/board.js';
export { BOARDS, boardOf } from './device/boards/boards.js';
export { buildFirmware, findFirmware } from './device/boards/firmware.js';
export { type FlashBoardOptions, type FlashBoardReport, flashBoard } from './device/boards/flash-board.js';
export type { Plan } from './device/boards/plan.js';
export { place, plan } from './device/boards/planner.js';
export { type Answer, portForBoard, portThatAnswers, probe, probeAll } from './device/boards/probe.js';
export { planStages, type StagePlan, type StagePlanOptions } from './device/boards/stage-planner.js';
export type { Bootloader, BootloaderOptions, BootloaderReport } from './device/bootloader/bootloader.js';
export type { FirmwareImage } from './device/bootloader/firmware-image.js';
export { formatHex, parseFirmware } from './device/bootloader/hex.js';
export { bootloaderFor } from './device/bootloader/protocols.js';
export { Chain } from './device/chain/chain.js';
export { asOnBoards, chainShape, chainTarget } from './device/chain/exchange.js';
export { type ChainFlashOptions, type ChainFlashReport, flashChain } from './device/chain/flash.js';
export { type ChainLearnOptions, chainStatus, evaluateChain, learnChain } from './device/chain/stream.js';
export { verifyChain, verifyChainLearning } from './device/chain/verify.js';
export { systemClock } from './device/clock.js';
export {
  type CheckReport,
  type ContractOptions,
  type ContractReport,
  type ContractTarget,
  runContract,
} from './device/contract/contract.js';
export { examine, type Finding } from './device/doctor.js';
export { type DoctorSystem, type ProcessFacts, thisMachine } from './device/doctor-system.js';
export type { EmulatedBoard } from './device/emulated/emulated-board.js';
export { startBoard } from './device/emulated/start.js';
export type { Evaluation } from './device/evaluation.js';
export { flashFile } from './device/flash-file.js';
export { type Judgement, Learner, type LearnerOptions } from './device/learner/learner.js';
export { startNativeBoard } from './device/native-board.js';
export * from './device/parity.js';
export { listPorts, type Port } from './device/ports.js';
export { asOnDevice, type Pull, type PullOptions, pull, pullImage, pullShape } from './device/pull.js';
export { push, save } from './device/push.js';
export { openTransport } from './device/resolve.js';
export { analogSource } from './device/sensor/analog.js';
export { type CaptureOptions, capture } from './device/sensor/capture.js';
export { type ComponentKind, type ComponentOptions, componentSource } from './device/sensor/component.js';
export { type FirmataBoard, openFirmata } from './device/sensor/firmata.js';
export { type RecordOptions, record } from './device/sensor/recorder.js';
export { type SignalKind, signalSource } from './device/sensor/signal.js';
export type { SampleSource } from './device/sensor/source.js';
export { Session, type SessionOptions } from './device/session.js';
export { connectSimulated } from './device/simulated.js';
export { SimulatedBoard } from './device/simulated-board.js';
export { keepStatistics } from './device/statistics.js';
export { evaluate, evaluateCore, type LearnOptions, type LearnReport, learn } from './device/stream.js';
export { deviceTarget, type SyncTarget } from './device/sync-target.js';
export { serveTcp, type TcpBoard } from './device/tcp-server.js';
export { TELEMETRY, type TelemetryItem, telemetryWithout } from './device/telemetry.js';
export { type FlashOptions, flashModel, type OnProgress, readRegion, sendObject } from './device/transfer.js';
export type { Transport } from './device/transport.js';
export { type RamSplit, WasmCore } from './device/wasm/core.js';
export { formatHeader } from './format/c-header.js';
export { type ClassStatistics, decodeClassStatistics, encodeClassStatistics } from './format/class-statistics.js';
export { decodeImage, encodeImage, sealImage } from './format/image.js';
export { LAYOUTS } from './format/layout.js';
export { FLAG, type HelloResponse, MESSAGES, REGION, type StatusResponse } from './format/message.js';
export { type Meta, metaOf } from './format/meta.js';
export type { LayerState, Model, ModelLayer, ModelState } from './format/model.js';
export { applyPatch, decodePatch, diffPatch, encodePatch, type Patch } from './format/patch.js';
export { splitPatch } from './format/patch-parts.js';
export { recordLength } from './format/record.js';
export { joinModels, splitModel } from './format/stages.js';
export { STATUS } from './format/status.js';
export { CoreLearner } from './loop/core-learner.js';
export type { LearningDevice, Synced } from './loop/learning-device.js';
export { type LoopOptions, type LoopRun, runLoop } from './loop/loop.js';
export * from './loop/result.js';
export * from './loop/schedule.js';
export { SessionLearner } from './loop/session-learner.js';
export { splitForLoop } from './loop/split.js';
export { dequantize, requantize } from './quantize/dequantize.js';
export { deviceData, hostOnly } from './quantize/device-network.js';
export { evaluateModel, type ModelEvaluation } from './quantize/evaluation.js';
export { checkDeviceLimits } from './quantize/limits.js';
export { evaluateNovelty, type NoveltyEvaluation } from './quantize/novelty.js';
export { calibrate, type QuantizeOptions, type QuantizeReport, quantize } from './quantize/quantize.js';
export { Reference } from './reference/reference.js';
export { type LiveServer, startLiveServer } from './report/live-server.js';
export { type ReportData, renderReport } from './report/report.js';
export * from './sync/answer.js';
export { FIRST_SYNC, LATER_SYNC, type NegativePlan, negativePhase } from './sync/negative.js';
export { buildProxy } from './sync/proxy.js';
export { gatherStatistics } from './sync/statistics.js';
export { type SyncReport, type SyncStage, synchronize } from './sync/synchronize.js';
export { fromWire } from './sync/wire-statistics.js';
export { compareTflite, EQUAL_ENOUGH, type TfliteComparison } from './tflite/comparison.js';
export { decodeTflite, type TensorInfo, type TfliteInfo } from './tflite/decode.js';
export { encodeTflite } from './tflite/encode.js';
export { Extractor } from './tflite/extractor.js';
export { extractFeatures, featuresAgain } from './tflite/features.js';
export { Graph, type GraphTensor, type OperatorOptions } from './tflite/graph.js';
export { TfliteInterpreter } from './tflite/interpreter.js';
export { exportTflite, type TfliteOptions } from './tflite/network.js';
export { type Backend, type BackendChoice, type BackendOptions, selectBackend } from './train/backend.js';
export { type Checkpoint, encodeCheckpoint } from './train/checkpoint.js';
export { decodeCheckpoint } from './train/checkpoint-reader.js';
export {
  type FitPlan,
  type PartialTrainConfig,
  planFor,
  type ShapeOptions,
  shapeFor,
  type TrainConfig,
} from './train/config.js';
export { evaluate as evaluateNetwork, goodnessOfAll } from './train/evaluation.js';
export { type Goodness, type GoodnessConfig, goodnessOf } from './train/goodness/goodness.js';
export type { ThresholdConfig } from './train/goodness/threshold.js';
export { roundedNetwork, trainedScales } from './train/layers/fake-quantization.js';
export type { FieldConfig, LocalFields } from './train/layers/local-fields.js';
export type { NegativesConfig } from './train/negatives/negatives.js';
export { asOneClass } from './train/negatives/others.js';
export { createNetwork, type Layer, type Network, type NetworkShape, type ObjectiveName } from './train/network.js';
export { auroc, quantile } from './train/objectives/novelty.js';
export { PRESETS, type Preset, presetOf } from './train/presets.js';
export type { LayerReport, Progress } from './train/progress.js';
export { defineRecipe, deviceBits, parseRecipe, type Recipe, trainConfigOf } from './train/recipe.js';
export type { RecurrentConfig } from './train/recurrent.js';
export type { FitOptions, FitResult } from './train/run.js';
export { type Phase, type PhasesConfig, phaseAt, phaseRate } from './train/schedule/phases.js';
export { type StepOptions, Trainer, type TrainerOptions } from './train/trainer.js';
