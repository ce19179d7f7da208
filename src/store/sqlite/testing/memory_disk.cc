#include "store/sqlite/testing/memory_disk.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

namespace wave::store::sqlite::testing {
namespace {

constexpr size_t kTearSize = 512;
constexpr int kSectorSize = 4096;

/// A write, or a truncation to `offset`, that is not on the disk yet.
struct Change {
  size_t offset = 0;
  std::string bytes;
  bool truncates = false;
};

void apply_change(const Change& change, std::string& content) {
  if (change.truncates) {
    content.resize(change.offset);
    return;
  }
  content.resize(std::max(content.size(), change.offset + change.bytes.size()));
  std::memcpy(content.data() + change.offset, change.bytes.data(), change.bytes.size());
}

/// The memory that connections to a database in WAL mode share, and its locks.
struct SharedMemory {
  std::vector<std::unique_ptr<char[]>> regions;
  std::array<int, SQLITE_SHM_NLOCK> shared{};
  std::array<bool, SQLITE_SHM_NLOCK> exclusive{};
};

struct File {
  std::string content;  // as processes see it
  std::string on_disk;
  std::vector<Change> unsynced;
  bool name_synced = false;
  // Locks on the file (sqlite3.h, "File Locking Levels").
  int shared = 0;
  bool reserved = false, pending = false, exclusive = false;
  std::shared_ptr<SharedMemory> memory = std::make_shared<SharedMemory>();

  void change(Change change) {
    apply_change(change, content);
    unsynced.push_back(std::move(change));
  }
  void sync() {
    for (const Change& change : unsynced) apply_change(change, on_disk);
    unsynced.clear();
  }
};

using Files = std::map<std::string, std::shared_ptr<File>>;

}  // namespace

struct MemoryDisk::State {
  std::string name;
  sqlite3_vfs vfs{};
  sqlite3_vfs* real = sqlite3_vfs_find(nullptr);
  std::mutex mutex;  // guards everything below
  Files files;
  Files synced_names;  // which of them would be there after a power cut
  uint64_t generation = 1;
  std::vector<DiskFault> faults;
  int64_t writes = 0, syncs = 0, reads = 0;

  std::optional<DiskFault> next_fault(DiskOperation operation) {
    for (auto fault = faults.begin(); fault != faults.end(); ++fault) {
      if (fault->operation != operation) continue;
      if (fault->after > 0) {
        --fault->after;
        continue;
      }
      const DiskFault happening = *fault;
      if (!fault->lasts) faults.erase(fault);
      return happening;
    }
    return std::nullopt;
  }
};

namespace {

using State = MemoryDisk::State;

/// What SQLite holds of an open file. SQLite allocates the memory of the outer structure.
struct Handle {
  State* disk = nullptr;
  std::shared_ptr<File> file;
  std::shared_ptr<SharedMemory> memory;
  uint64_t generation = 0;
  int level = SQLITE_LOCK_NONE;
  std::array<bool, SQLITE_SHM_NLOCK> holds_shared{}, holds_exclusive{};
  std::string delete_on_close;

  /// Its process is gone.
  [[nodiscard]] bool is_dead() const { return generation != disk->generation; }
};

struct SqliteFile {
  sqlite3_file base;
  Handle* handle;
};

Handle& handle_of(sqlite3_file* file) {
  return *reinterpret_cast<SqliteFile*>(file)->handle;
}

int unlock(sqlite3_file* file, int level);
int shm_unmap(sqlite3_file* file, int delete_it);

int close(sqlite3_file* file) {
  shm_unmap(file, 0);
  unlock(file, SQLITE_LOCK_NONE);
  Handle& handle = handle_of(file);
  if (!handle.delete_on_close.empty()) {
    const std::scoped_lock lock(handle.disk->mutex);
    handle.disk->files.erase(handle.delete_on_close);
  }
  delete &handle;
  return SQLITE_OK;
}

int read(sqlite3_file* file, void* to, int amount, sqlite3_int64 offset) {
  Handle& handle = handle_of(file);
  const std::scoped_lock lock(handle.disk->mutex);
  if (handle.is_dead()) return SQLITE_IOERR_READ;
  ++handle.disk->reads;
  const std::string& content = handle.file->content;
  const auto at = static_cast<size_t>(offset);
  const auto wanted = static_cast<size_t>(amount);
  const size_t there = at < content.size() ? std::min(wanted, content.size() - at) : 0;
  std::memcpy(to, content.data() + std::min(at, content.size()), there);
  if (there == wanted) return SQLITE_OK;
  std::memset(static_cast<char*>(to) + there, 0, wanted - there);
  return SQLITE_IOERR_SHORT_READ;
}

int change(Handle& handle, Change change) {
  const std::scoped_lock lock(handle.disk->mutex);
  if (handle.is_dead()) return SQLITE_IOERR_WRITE;
  ++handle.disk->writes;
  const auto fault = handle.disk->next_fault(DiskOperation::kWrite);
  if (!fault || fault->takes_effect) handle.file->change(std::move(change));
  return fault ? fault->code : SQLITE_OK;
}

int write(sqlite3_file* file, const void* from, int amount, sqlite3_int64 offset) {
  return change(handle_of(file), {.offset = static_cast<size_t>(offset),
                                  .bytes = std::string(static_cast<const char*>(from),
                                                       static_cast<size_t>(amount))});
}

int truncate(sqlite3_file* file, sqlite3_int64 size) {
  return change(handle_of(file),
                {.offset = static_cast<size_t>(size), .bytes = {}, .truncates = true});
}

int sync(sqlite3_file* file, int /*flags*/) {
  Handle& handle = handle_of(file);
  State& disk = *handle.disk;
  const std::scoped_lock lock(disk.mutex);
  if (handle.is_dead()) return SQLITE_IOERR_FSYNC;
  ++disk.syncs;
  const auto fault = disk.next_fault(DiskOperation::kSync);
  if (!fault || fault->takes_effect) {
    handle.file->sync();
    // SQLite's own VFS syncs the folder with the first sync of a new file.
    if (!std::exchange(handle.file->name_synced, true)) disk.synced_names = disk.files;
  }
  return fault ? fault->code : SQLITE_OK;
}

int file_size(sqlite3_file* file, sqlite3_int64* size) {
  Handle& handle = handle_of(file);
  const std::scoped_lock lock(handle.disk->mutex);
  if (handle.is_dead()) return SQLITE_IOERR_FSTAT;
  *size = static_cast<sqlite3_int64>(handle.file->content.size());
  return SQLITE_OK;
}

int lock(sqlite3_file* sqlite_file, int level) {
  Handle& handle = handle_of(sqlite_file);
  const std::scoped_lock guard(handle.disk->mutex);
  if (handle.is_dead()) return SQLITE_IOERR_LOCK;
  if (handle.level >= level) return SQLITE_OK;
  File& file = *handle.file;
  if (handle.level < SQLITE_LOCK_SHARED) {
    if (file.pending || file.exclusive) return SQLITE_BUSY;
    ++file.shared;
    handle.level = SQLITE_LOCK_SHARED;
    if (level == SQLITE_LOCK_SHARED) return SQLITE_OK;
  }
  if (handle.level < SQLITE_LOCK_RESERVED && level >= SQLITE_LOCK_RESERVED) {
    if (file.reserved) return SQLITE_BUSY;
    file.reserved = true;
    handle.level = SQLITE_LOCK_RESERVED;
    if (level == SQLITE_LOCK_RESERVED) return SQLITE_OK;
  }
  file.pending = true;
  handle.level = SQLITE_LOCK_PENDING;
  if (file.shared > 1) return SQLITE_BUSY;
  file.exclusive = true;
  handle.level = SQLITE_LOCK_EXCLUSIVE;
  return SQLITE_OK;
}

int unlock(sqlite3_file* sqlite_file, int level) {
  Handle& handle = handle_of(sqlite_file);
  const std::scoped_lock guard(handle.disk->mutex);
  if (handle.is_dead() || handle.level <= level) return SQLITE_OK;
  File& file = *handle.file;
  if (handle.level >= SQLITE_LOCK_EXCLUSIVE) file.exclusive = false;
  if (handle.level >= SQLITE_LOCK_PENDING) file.pending = false;
  if (handle.level >= SQLITE_LOCK_RESERVED) file.reserved = false;
  if (level == SQLITE_LOCK_NONE) --file.shared;
  handle.level = level;
  return SQLITE_OK;
}

int check_reserved_lock(sqlite3_file* file, int* result) {
  Handle& handle = handle_of(file);
  const std::scoped_lock lock(handle.disk->mutex);
  *result = handle.file->reserved ? 1 : 0;
  return SQLITE_OK;
}

int file_control(sqlite3_file* /*file*/, int /*operation*/, void* /*argument*/) {
  return SQLITE_NOTFOUND;
}
int sector_size(sqlite3_file* /*file*/) {
  return kSectorSize;
}
int device_characteristics(sqlite3_file* /*file*/) {
  return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

int shm_map(sqlite3_file* file, int region, int size, int extend, void volatile** mapped) {
  Handle& handle = handle_of(file);
  const std::scoped_lock lock(handle.disk->mutex);
  if (handle.is_dead()) return SQLITE_IOERR_SHMMAP;
  if (handle.memory == nullptr) handle.memory = handle.file->memory;
  auto& regions = handle.memory->regions;
  const auto wanted = static_cast<size_t>(region) + 1;
  *mapped = nullptr;
  if (regions.size() < wanted && extend == 0) return SQLITE_OK;
  while (regions.size() < wanted) {
    regions.push_back(std::make_unique<char[]>(static_cast<size_t>(size)));
  }
  *mapped = regions[wanted - 1].get();
  return SQLITE_OK;
}

/// Takes or gives back one of the eight locks; all or none of a range is taken.
int shm_lock(sqlite3_file* file, int offset, int count, int flags) {
  Handle& handle = handle_of(file);
  const std::scoped_lock lock(handle.disk->mutex);
  if (handle.is_dead()) return SQLITE_IOERR_SHMLOCK;
  if (handle.memory == nullptr) handle.memory = handle.file->memory;
  SharedMemory& memory = *handle.memory;
  const bool exclusive = (flags & SQLITE_SHM_EXCLUSIVE) != 0;
  const auto first = static_cast<size_t>(offset);
  const auto end = first + static_cast<size_t>(count);
  if ((flags & SQLITE_SHM_UNLOCK) != 0) {
    for (size_t i = first; i < end; ++i) {
      if (exclusive && std::exchange(handle.holds_exclusive[i], false)) memory.exclusive[i] = false;
      if (!exclusive && std::exchange(handle.holds_shared[i], false)) --memory.shared[i];
    }
    return SQLITE_OK;
  }
  for (size_t i = first; i < end; ++i) {
    const bool mine = exclusive ? handle.holds_exclusive[i] : handle.holds_shared[i];
    if (mine) continue;
    const int other_readers = memory.shared[i] - (handle.holds_shared[i] ? 1 : 0);
    if (memory.exclusive[i] || (exclusive && other_readers > 0)) return SQLITE_BUSY;
  }
  for (size_t i = first; i < end; ++i) {
    if (exclusive && !std::exchange(handle.holds_exclusive[i], true)) memory.exclusive[i] = true;
    if (!exclusive && !std::exchange(handle.holds_shared[i], true)) ++memory.shared[i];
  }
  return SQLITE_OK;
}

void shm_barrier(sqlite3_file* file) {
  std::atomic_thread_fence(std::memory_order_seq_cst);
  const std::scoped_lock lock(handle_of(file).disk->mutex);
}

int shm_unmap(sqlite3_file* file, int delete_it) {
  Handle& handle = handle_of(file);
  const std::scoped_lock lock(handle.disk->mutex);
  if (handle.memory == nullptr) return SQLITE_OK;
  for (size_t i = 0; i < SQLITE_SHM_NLOCK; ++i) {
    if (std::exchange(handle.holds_exclusive[i], false)) handle.memory->exclusive[i] = false;
    if (std::exchange(handle.holds_shared[i], false)) --handle.memory->shared[i];
  }
  if (delete_it != 0 && !handle.is_dead()) handle.file->memory = std::make_shared<SharedMemory>();
  handle.memory.reset();
  return SQLITE_OK;
}

constexpr sqlite3_io_methods kMethods{.iVersion = 2,
                                      .xClose = close,
                                      .xRead = read,
                                      .xWrite = write,
                                      .xTruncate = truncate,
                                      .xSync = sync,
                                      .xFileSize = file_size,
                                      .xLock = lock,
                                      .xUnlock = unlock,
                                      .xCheckReservedLock = check_reserved_lock,
                                      .xFileControl = file_control,
                                      .xSectorSize = sector_size,
                                      .xDeviceCharacteristics = device_characteristics,
                                      .xShmMap = shm_map,
                                      .xShmLock = shm_lock,
                                      .xShmBarrier = shm_barrier,
                                      .xShmUnmap = shm_unmap,
                                      .xFetch = nullptr,
                                      .xUnfetch = nullptr};

State& state_of(sqlite3_vfs* vfs) {
  return *static_cast<State*>(vfs->pAppData);
}

int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  State& disk = state_of(vfs);
  auto* opened = reinterpret_cast<SqliteFile*>(file);
  opened->base.pMethods = nullptr;
  const std::scoped_lock lock(disk.mutex);
  std::shared_ptr<File> found;
  if (name == nullptr) {
    found = std::make_shared<File>();  // a temporary one
  } else if (const auto known = disk.files.find(name); known != disk.files.end()) {
    found = known->second;
  } else if ((flags & SQLITE_OPEN_CREATE) != 0) {
    found = disk.files.emplace(name, std::make_shared<File>()).first->second;
  } else {
    return SQLITE_CANTOPEN;
  }
  opened->handle = new Handle;  // until close
  opened->handle->disk = &disk;
  opened->handle->file = std::move(found);
  opened->handle->generation = disk.generation;
  if ((flags & SQLITE_OPEN_DELETEONCLOSE) != 0 && name != nullptr) {
    opened->handle->delete_on_close = name;
  }
  opened->base.pMethods = &kMethods;
  if (out_flags != nullptr) *out_flags = flags;
  return SQLITE_OK;
}

int remove(sqlite3_vfs* vfs, const char* name, int sync_folder) {
  State& disk = state_of(vfs);
  const std::scoped_lock lock(disk.mutex);
  if (disk.files.erase(name) == 0) return SQLITE_IOERR_DELETE_NOENT;
  if (sync_folder != 0) disk.synced_names = disk.files;
  return SQLITE_OK;
}

int access(sqlite3_vfs* vfs, const char* name, int /*flags*/, int* result) {
  State& disk = state_of(vfs);
  const std::scoped_lock lock(disk.mutex);
  *result = disk.files.contains(name) ? 1 : 0;
  return SQLITE_OK;
}

int full_pathname(sqlite3_vfs* /*vfs*/, const char* name, int size, char* out) {
  sqlite3_snprintf(size, out, "%s", name);
  return SQLITE_OK;
}

int randomness(sqlite3_vfs* vfs, int size, char* out) {
  sqlite3_vfs* real = state_of(vfs).real;
  return real->xRandomness(real, size, out);
}
int sleep(sqlite3_vfs* vfs, int microseconds) {
  sqlite3_vfs* real = state_of(vfs).real;
  return real->xSleep(real, microseconds);
}
int current_time(sqlite3_vfs* vfs, double* now) {
  sqlite3_vfs* real = state_of(vfs).real;
  return real->xCurrentTime(real, now);
}
int current_time_int64(sqlite3_vfs* vfs, sqlite3_int64* now) {
  sqlite3_vfs* real = state_of(vfs).real;
  return real->xCurrentTimeInt64(real, now);
}
int last_error(sqlite3_vfs* /*vfs*/, int /*size*/, char* /*out*/) {
  return 0;
}

/// What a file holds after a power cut.
std::string after_power_cut(const File& file, const std::function<uint64_t()>& random) {
  std::string content = file.on_disk;
  if (!random) return content;
  for (const Change& change : file.unsynced) {
    if (change.truncates) {
      if (random() % 2 == 0) apply_change(change, content);
      continue;
    }
    for (size_t at = 0; at < change.bytes.size(); at += kTearSize) {
      if (random() % 2 == 0) continue;
      apply_change({.offset = change.offset + at, .bytes = change.bytes.substr(at, kTearSize)},
                   content);
    }
  }
  return content;
}

}  // namespace

MemoryDisk::MemoryDisk(std::string name) : state_(std::make_unique<State>()) {
  State& state = *state_;
  state.name = std::move(name);
  sqlite3_vfs& vfs = state.vfs;
  vfs.iVersion = 2;
  vfs.szOsFile = sizeof(SqliteFile);
  vfs.mxPathname = 4096;
  vfs.zName = state.name.c_str();
  vfs.pAppData = &state;
  vfs.xOpen = open;
  vfs.xDelete = remove;
  vfs.xAccess = access;
  vfs.xFullPathname = full_pathname;
  vfs.xRandomness = randomness;
  vfs.xSleep = sleep;
  vfs.xCurrentTime = current_time;
  vfs.xCurrentTimeInt64 = current_time_int64;
  vfs.xGetLastError = last_error;
  sqlite3_vfs_register(&vfs, /*makeDflt=*/0);
}

MemoryDisk::~MemoryDisk() {
  sqlite3_vfs_unregister(&state_->vfs);
}

const std::string& MemoryDisk::name() const {
  return state_->name;
}

void MemoryDisk::lose_power(const std::function<uint64_t()>& random) {
  const std::scoped_lock lock(state_->mutex);
  ++state_->generation;
  Files survivors;
  for (const auto& [name, file] : state_->synced_names) {
    auto survivor = std::make_shared<File>();
    survivor->on_disk = after_power_cut(*file, random);
    survivor->content = survivor->on_disk;
    survivor->name_synced = true;
    survivors.emplace(name, std::move(survivor));
  }
  state_->files = survivors;
  state_->synced_names = std::move(survivors);
}

void MemoryDisk::kill_processes() {
  const std::scoped_lock lock(state_->mutex);
  ++state_->generation;
  for (auto& [name, file] : state_->files) {
    auto survivor = std::make_shared<File>(*file);
    survivor->shared = 0;
    survivor->reserved = survivor->pending = survivor->exclusive = false;
    survivor->memory = std::make_shared<SharedMemory>();
    if (const auto synced = state_->synced_names.find(name);
        synced != state_->synced_names.end() && synced->second == file) {
      synced->second = survivor;
    }
    file = std::move(survivor);
  }
}

void MemoryDisk::inject(DiskFault fault) {
  const std::scoped_lock lock(state_->mutex);
  state_->faults.push_back(fault);
}

void MemoryDisk::clear_faults() {
  const std::scoped_lock lock(state_->mutex);
  state_->faults.clear();
}

int64_t MemoryDisk::writes() const {
  const std::scoped_lock lock(state_->mutex);
  return state_->writes;
}

int64_t MemoryDisk::syncs() const {
  const std::scoped_lock lock(state_->mutex);
  return state_->syncs;
}

int64_t MemoryDisk::reads() const {
  const std::scoped_lock lock(state_->mutex);
  return state_->reads;
}

}  // namespace wave::store::sqlite::testing
